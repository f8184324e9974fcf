"""An element described as a person sees it."""

from __future__ import annotations

from iwr.browser.snapshot import Node, Snapshot
from iwr.contract.elements import alike, beside, container_of, kind_of, label_of, picture_of
from iwr.contract.pools import cell_of, reachable, reactive
from iwr.contract.reading import plain
from iwr.contract.schema import Target
from iwr.contract.search import TargetSearch, find


def describe_target(snapshot: Snapshot, node: Node) -> Target:
    """Return how a person would tell `node` from everything else on the page."""
    label = label_of(snapshot, node)
    name = node.name
    if plain(name) == plain(label):
        name = ""
    container, container_role = container_of(snapshot, node)
    rivals = _rivals(snapshot, node)
    like = alike(snapshot, node, rivals)
    cell = cell_of(like, node)
    return Target(
        label=label,
        name=name,
        placeholder=node.placeholder,
        picture=picture_of(node),
        role=node.role,
        kind=kind_of(node),
        states=node.states,
        beside=beside(snapshot, node),
        container=container,
        container_role=container_role,
        index=cell.number,
        count=len(like),
        row=cell.row,
        column=cell.column,
        box=node.box,
        viewport=(snapshot.width, snapshot.height),
        how=node.how,
    )


def tell_apart(snapshot: Snapshot, node: Node) -> Target:
    """Return a description of `node` by which it is found on its own page, if there is one.

    Texts around it that are nearer to something like it are left out.
    """
    described = describe_target(snapshot, node)
    target = _with_place(snapshot, node, described)
    for start in range(len(target.beside) + 1):
        update = {"beside": target.beside[start:]}
        shorter = target.model_copy(update=update)
        match = find(shorter, snapshot)
        if match.node is node and not match.tied:
            return shorter
    return target


def _with_place(snapshot: Snapshot, node: Node, target: Target) -> Target:
    """Return the target with its place among what a search for it compares."""
    pool = reactive(snapshot)
    if not node.how:
        pool = reachable(snapshot)
    search = TargetSearch(target, snapshot, pool)
    like = alike(snapshot, node, search.nodes)
    cell = cell_of(like, node)
    update = {
        "index": cell.number,
        "row": cell.row,
        "column": cell.column,
        "count": len(like),
    }
    return target.model_copy(update=update)


def _rivals(snapshot: Snapshot, node: Node) -> list[Node]:
    """Return what `node` is told from: elements that react or, where it does not, all."""
    if not node.how:
        return reachable(snapshot)
    rivals = reactive(snapshot)
    if node not in rivals:
        rivals.append(node)
    return rivals

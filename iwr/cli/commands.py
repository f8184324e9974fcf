"""The one table of commands: what each does, its example, the settings that it alone takes."""

from __future__ import annotations

from iwr.cli import (
    compare_command,
    data_commands,
    open_command,
    plan_command,
    run_commands,
    tool_commands,
)
from iwr.cli.arguments import Command

STAGES = {
    "run": Command(
        run_commands.run,
        "all stages on the bundled samples with the demo model",
        "iwr run models=[oracle,demo,screenshot,blank] judge=contract "
        "protocol=offline run.name=first",
    ),
    "generate": Command(
        run_commands.run,
        "models write a page for each recording",
        "iwr generate model=demo data=samples run.name=first",
    ),
    "judge": Command(
        run_commands.run,
        "the pages are driven through the recorded actions and judged",
        "iwr judge run.name=first",
    ),
    "score": Command(
        run_commands.run,
        "screenshots are compared, scores computed",
        "iwr score run.name=first",
    ),
    "report": Command(
        run_commands.run,
        "tables from the results so far",
        "iwr report run.name=first",
    ),
}

CLUSTER = {
    "prefetch": Command(
        tool_commands.prefetch,
        "download data set and weights, with their sizes: run it where there is a network",
        "iwr prefetch model=qwen2_5_vl_7b judge=qwen3_vl_8b protocol=local data=iwr_bench "
        "data.root=DIR",
    ),
    "plan": Command(
        plan_command.plan,
        "requests, tokens, hours and disk of what a run has still to do",
        "iwr plan model=qwen2_5_vl_7b judge=qwen3_vl_8b data=iwr_bench data.root=DIR probe=3",
        keys=plan_command.KEYS,
    ),
    "submit": Command(
        run_commands.submit,
        "run all stages as a chain of SLURM jobs",
        "iwr submit models=[demo,blank] cluster=default cluster.shards=4 cluster.partition=gpu "
        "run.name=first",
        flags=(run_commands.DRY_RUN,),
    ),
    "status": Command(
        run_commands.status,
        "what is done, pending, failed and running, by model and shard",
        "iwr status run.name=first",
    ),
}

TOOLS = {
    "compare": Command(
        compare_command.compare,
        "two models task by task: difference, interval, p-value; which steps flipped",
        "iwr compare runs/first/demo runs/second/demo protocol=offline out=DIR",
        keys=("judge", "protocol", "out"),
        configured=False,
        flags=compare_command.FLAGS,
    ),
    "open": Command(
        open_command.open_page,
        "a page of a run in a window, in the same sandbox, to try by hand",
        "iwr open runs/first demo film-rating",
        configured=False,
    ),
    "selftest": Command(
        run_commands.selftest,
        "measure a judge on pages whose truth is known",
        "iwr selftest judge=qwen3_vl_8b run.name=first",
    ),
    "doctor": Command(
        tool_commands.doctor,
        "what the settings need of this machine, and how to get it",
        "iwr doctor model=qwen2_5_vl_7b judge=qwen3_vl_8b protocol=local data=iwr_bench "
        "data.root=DIR",
    ),
    "validate": Command(
        data_commands.validate,
        "check a data set: one line for each fault",
        "iwr validate data=iwr_bench data.root=DIR --json",
    ),
    "record": Command(
        data_commands.record,
        "make a task from a page and an action script",
        "iwr record page=DIR script=DIR/script.yaml out=DATA_ROOT id=my-task",
        keys=("page", "script", "out", "id", "pace", "seed"),
        configured=False,
    ),
    "import": Command(
        data_commands.import_,
        "take over pages from a folder of the reference evaluator",
        "iwr import from=OUTPUTS data=iwr_bench data.root=DIR run.name=first",
        keys=("from", "only"),
    ),
    "export": Command(
        data_commands.export,
        "write a run in the reference evaluator's layout",
        "iwr export to=OUTPUTS models=[oracle,demo] run.name=first",
        keys=("to",),
    ),
    "config": Command(
        tool_commands.config,
        "print every setting and its value",
        "iwr config model=demo protocol=offline",
    ),
    "completion": Command(
        tool_commands.completion,
        "make the Tab key complete commands and settings",
        'eval "$(iwr completion bash)"     # or zsh; in ~/.bashrc, to keep it',
        configured=False,
    ),
}

COMMANDS = STAGES | CLUSTER | TOOLS

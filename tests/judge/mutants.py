# ruff: noqa: E501 - each mutant stands on one line
"""The sample pages with one planted defect each, and the step at which it must be noticed; and with changes that hurt nothing."""

from __future__ import annotations

from typing import NamedTuple


class Mutant(NamedTuple):
    sample: str
    kind: str
    old: str  # text of the true page …
    new: str  # … and what stands there instead
    step: int | None  # the first that fails; None: none may


DEFECTS = [
    Mutant(*row)
    for row in (
        # docs-page
        ("docs-page", "handler removed", 'on(".link","click",x=>open(x.innerHTML))', "", 1),
        (
            "docs-page",
            "wrong text",
            "Paths are matched from top to bottom.",
            "Paths are matched from bottom to top.",
            1,
        ),
        (
            "docs-page",
            "state not updated",
            "x.nextSibling.hidden=!x.nextSibling.hidden",
            "x.nextSibling.hidden=true",
            2,
        ),
        ("docs-page", "element missing", "<h2>Was this page helpful?</h2>", "", 3),
        ("docs-page", "element missing", '<button class="btn tag">Yes</button>', "", 4),
        ("docs-page", "wrong text", "Thanks for your feedback", "Thanks for your patience", 4),
        (
            "docs-page",
            "state not updated",
            "Pages shown: ${a.length}",
            "Pages shown: ${all.length}",
            6,
        ),
        ("docs-page", "one step late", 'on("#q","input",draw)', 'on("#q","change",draw)', 6),
        ("docs-page", "handler removed", 'e.key=="Enter"', 'e.key=="F2"', 7),
        ("docs-page", "wrong order", 'open($(".link").innerHTML)', "open(all[0][0])", 7),
        # film-rating
        ("film-rating", "one step late", 'on("#q","input",', 'on("#q","change",', 1),
        ("film-rating", "wrong text", "1 film found", "1 film lost", 1),
        (
            "film-rating",
            "state not updated",
            '$("#film").hidden=false',
            '$("#film").hidden=true',
            2,
        ),
        (
            "film-rating",
            "element missing",
            "[1,2,3,4,5,6,7,8,9,10].map",
            "[1,2,3,4,5,6,7,8].map",
            3,
        ),
        ("film-rating", "wrong order", "${n+1}/10", "${10-n}/10", 3),
        (
            "film-rating",
            "one step late",
            'put("#msg",`Rating updated successfully: ${n+1}/10`)',
            'put("#msg",window.last||"Rating sent");window.last=`Rating updated successfully: ${n+1}/10`',
            3,
        ),
        (
            "film-rating",
            "covered",
            "<p>Your rating</p>",
            '<p>Your rating</p><div style="position:absolute;width:700px;height:50px;background:#181512;z-index:5"></div>',
            3,
        ),
        ("film-rating", "element missing", "<h2>Reviews</h2>", "", 4),
        (
            "film-rating",
            "handler removed",
            'on("#up","click",()=>put("#up","Helpful (13)"))',
            "",
            5,
        ),
        (
            "film-rating",
            "state not updated",
            'put("#up","Helpful (13)")',
            'put("#up","Helpful (12)")',
            5,
        ),
        (
            "film-rating",
            "element missing",
            '<div class="btn tag" id="watch">Add to watchlist</div>',
            "",
            7,
        ),
        # kanban-board
        ("kanban-board", "handler removed", 'on(".card","click"', 'on(".card","dragend"', 1),
        ("kanban-board", "wrong order", "Math.min(c[1]+1,2)", "Math.min(c[1]+2,2)", 1),
        (
            "kanban-board",
            "element missing",
            '<input id="q" placeholder="New card">',
            '<i id="q"></i>',
            2,
        ),
        ("kanban-board", "one step late", 'x.value="";draw()}', 'x.value=""}', 3),
        ("kanban-board", "state not updated", 'log.push("Added "+x.value)', "log.push()", 4),
        ("kanban-board", "wrong text", "The log is empty", "The log was empty", 5),
        (
            "kanban-board",
            "element missing",
            '<button class="btn tag" id="clear">Clear log</button>',
            "",
            5,
        ),
        ("kanban-board", "state not updated", 'put("#msg","Showing cards of Mia")', "0", 7),
        # mail-client
        ("mail-client", "wrong order", "const a=all[i];x", "const a=all[7-i];x", 1),
        ("mail-client", "element missing", '<div class="btn tag" id="star">Star</div>', "", 2),
        (
            "mail-client",
            "one step late",
            'on("#star","click",()=>put("#msg","Conversation starred"))',
            'on("#star","click",x=>x.n?put("#msg","Conversation starred"):x.n=1)',
            2,
        ),
        ("mail-client", "state not updated", '$("#box").hidden=false', '$("#box").hidden=true', 3),
        ("mail-client", "element missing", '<input id="text" placeholder="Write a reply">', "", 4),
        (
            "mail-client",
            "handler removed",
            'if(e.key=="Enter"){put("#msg","Reply',
            'if(e.key=="F2"){put("#msg","Reply',
            5,
        ),
        ("mail-client", "no scrolling", "overflow:auto", "overflow:hidden", 6),
        ("mail-client", "wrong text", "Your bike is ready.", "Your bike is lost.", 7),
        # music-player
        (
            "music-player",
            "state not updated",
            'put("#msg","Now playing: "+t)',
            'put("#msg","Now playing: "+now.at(0))',
            1,
        ),
        ("music-player", "wrong text", '"Paused: "', '"Stopped: "', 2),
        ("music-player", "handler removed", 'e.key==" "&&', 'e.key=="p"&&', 2),
        ("music-player", "state not updated", "Songs: ${a.length}", "Songs: ${all.length}", 3),
        ("music-player", "handler removed", 'e.key=="Escape"', 'e.key=="F2"', 4),
        ("music-player", "element missing", "<h2>More albums</h2>", "", 5),
        ("music-player", "element missing", '"Night Swim",', "", 6),
        ("music-player", "handler removed", 'on(".album","click",x=>play(x.textContent))', "", 6),
        ("music-player", "wrong order", "play(x.textContent)", "play(more[0])", 6),
        (
            "music-player",
            "element missing",
            '<div class="btn tag" id="save">Save album</div>',
            "",
            8,
        ),
        # shop-cart
        (
            "shop-cart",
            "one step late",
            "cart[n]=(cart[n]||0)+1;draw()",
            "draw();cart[n]=(cart[n]||0)+1",
            1,
        ),
        ("shop-cart", "wrong order", "const n=all[i][0]", "const n=all[(i+1)%6][0]", 1),
        ("shop-cart", "wrong text", "Coupon applied: 10% off", "Coupon applied: 15% off", 3),
        ("shop-cart", "state not updated", 'x.value=="SAVE10"', 'x.value=="SAVE20"', 3),
        ("shop-cart", "element missing", "<h2>Free delivery over $50</h2>", "", 4),
        (
            "shop-cart",
            "element missing",
            '<div class="btn add" aria-label="Add ${a[0]} to cart">Add to cart</div></div>`',
            '${i<5?`<div class="btn add">Add to cart</div>`:""}</div>`',
            5,
        ),
        (
            "shop-cart",
            "wrong text",
            'put("#toast","Added "+n)',
            'put("#toast","Added "+all[0][0])',
            5,
        ),
        ("shop-cart", "handler removed", 'on("#pay","click"', 'on("#pay","dblclick"', 7),
        # signup-form
        (
            "signup-form",
            "handler removed",
            'on("input","keydown",(x,e)=>{if(e.key=="Enter")check()})',
            "",
            2,
        ),
        (
            "signup-form",
            "one step late",
            'on("#mail","input",check)',
            'on("#mail","change",check)',
            3,
        ),
        ("signup-form", "wrong text", "$24 per month", "$42 per month", 4),
        (
            "signup-form",
            "wrong order",
            'x.innerHTML.split("<br>")[1]',
            '$("#solo").innerHTML.split("<br>")[1]',
            4,
        ),
        ("signup-form", "element missing", "<h2>Terms of service</h2>", "", 5),
        ("signup-form", "state not updated", 'put("#ok","Terms accepted")', "0", 6),
        ("signup-form", "state not updated", "ok=true;", "", 7),
        # tiles-2048
        ("tiles-2048", "state not updated", 'put("#sum","Score: 0")', "0", 1),
        ("tiles-2048", "one step late", "Moves: ${++moves}", "Moves: ${moves++}", 2),
        ("tiles-2048", "handler removed", "/Arrow/.test", "/ArrowLeft/.test", 3),
        ("tiles-2048", "element missing", "<h2>How to play</h2>", "", 4),
        (
            "tiles-2048",
            "handler removed",
            'on("#tip","click",()=>put("#tip","Keep big tiles in a corner"))',
            "",
            5,
        ),
        ("tiles-2048", "element missing", '<input id="name" placeholder="Your name">', "", 7),
        ("tiles-2048", "state not updated", "score+=r[i]*=2", "r[i]*=2", 8),
    )
]

COSMETIC = [
    Mutant(*row, None)
    for row in (
        ("docs-page", "cosmetic", "17px/1.5 Arial,sans-serif", "17px/1.5 Georgia,serif"),
        ("docs-page", "cosmetic", "lumen serve --port 8080", "lumen serve --port 9090"),
        ("film-rating", "cosmetic", "#e8b31c", "#c0d020"),
        (
            "film-rating",
            "cosmetic",
            "A mapmaker finds a second city folded into the wires of the first.",
            "A story about maps.",
        ),
        ("kanban-board", "cosmetic", 'width="48" height="48"', 'width="40" height="40"'),
        (
            "kanban-board",
            "cosmetic",
            ".btn{cursor:pointer}",
            ".btn{cursor:pointer;border-radius:12px}",
        ),
        ("mail-client", "cosmetic", "#c62828", "#1565c0"),
        ("mail-client", "cosmetic", "Starred</p>", "Important</p>"),
        (
            "music-player",
            "cosmetic",
            ".btn{cursor:pointer}",
            ".btn{cursor:default;letter-spacing:1px}",
        ),
        (
            "shop-cart",
            "cosmetic",
            '<div class="btn add" id="pay">Checkout</div>',
            '<button class="btn add" id="pay">Checkout</button>',
        ),
        (
            "shop-cart",
            "cosmetic",
            "Returns within 30 days, no questions asked.",
            "Returns within 14 days.",
        ),
        ("signup-form", "cosmetic", "Be kind to other travellers.", "Be kind."),
        (
            "signup-form",
            "cosmetic",
            '<button class="btn add" id="go">Create account</button>',
            '<div class="btn add" id="go">Create account</div>',
        ),
        ("tiles-2048", "cosmetic", "hsl(", "hsl(180+"),
        (
            "tiles-2048",
            "cosmetic",
            "Arrow keys slide all tiles. Equal tiles merge.",
            "Use the arrow keys.",
        ),
    )
]

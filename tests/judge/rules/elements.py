# ruff: noqa: E501 - each page and each change stands on one line
"""Small pages and sentences about them; each sentence means the element with that id, or nothing. None of them is a bundled sample."""

from __future__ import annotations

BASE = "<!DOCTYPE html><meta charset=utf-8><body style='font:16px sans-serif;margin:8px'>"
MUGS = "".join(
    f"<div class=product><img src=asset_{n}.png width=80 height=60 alt=''><h3>{name}</h3><p>${price}</p>{button}</div>"
    for n, (name, price, button) in enumerate(
        [
            ("Red Mug", 8, "<button id=k1>Add to cart</button>"),
            ("Blue Mug", 9, "<button id=k2>Add to cart</button>"),
            ("Green Mug", 9, "<span class=sold>Sold out</span>"),
            ("Tea Pot", 30, "<button id=k3>Add to cart</button>"),
        ]
    )
)

PAGES: dict[str, tuple[str, dict[str, str | None]]] = {
    "shop": (
        BASE
        + f"<header><a id=k4 href=#>Home</a><a id=k5 href=#>Deals</a><button id=k6 aria-label='Open cart'>🛒</button></header>"
        f"<style>.grid{{display:grid;grid-template-columns:repeat(4,1fr)}}</style><div class=grid>{MUGS}</div>"
        "<footer><input id=k7 placeholder='Your email'><button id=k8>Subscribe</button></footer>",
        {
            "Click the 'Add to cart' button of the Blue Mug.": "k2",
            "Click 'Add to cart' for the Red Mug": "k1",
            "Click the \"Add to cart\" button below the 'Tea Pot' to put it in the cart.": "k3",
            "Click the second 'Add to cart' button.": "k2",
            "Click the last 'Add to cart' button": "k3",
            "Add the Blue Mug to the cart.": "k2",
            "Click the 'Add to cart' button of the Green Mug.": None,
            "Click the 'Add to cart' button of the Yellow Mug.": None,
            "Click the fifth 'Add to cart' button.": None,
            "Click the cart icon in the top right corner.": "k6",
            "Click on the shopping cart button to open the cart.": "k6",
            "Click the 'Deals' link in the header.": "k5",
            "Click the Home link": "k4",
            "Click the Subscribe button in the footer.": "k8",
            "Click the 'Checkout' button.": None,
            "Click the search icon.": None,
            "Click the 'Green Mug' image.": None,
            "Click the 'Log in' button.": None,
        },
    ),
    "rating": (
        BASE
        + "<p>Your rating</p><div class=stars>"
        + "".join(f"<span class='star' id=s{n} onclick='1'>★</span>" for n in range(1, 11))
        + "</div>"
        "<div class=stars2>"
        + "".join(
            f"<i class='fa fa-heart' id=h{n} style='cursor:pointer'>♥</i>" for n in range(1, 4)
        )
        + "</div>",
        {
            "Click the 9th star to set the rating to 9/10.": "s9",
            "Click the third star.": "s3",
            "Click star number 7": "s7",
            "Click on the last star": "s10",
            "Click the 11th star.": None,
            "Click the second heart": "h2",
            "Click the fourth heart.": None,
            "Click the 2nd thumbs up": None,
        },
    ),
    "todo": (
        BASE
        + "<h1>Tasks</h1><input id=k1 placeholder='What needs to be done?'><ul>"
        + "".join(
            f"<li><input type=checkbox id=c{n}><span>{t}</span><button id=d{n} class=destroy>×</button></li>"
            for n, t in enumerate(("Buy milk", "Feed the cat", "Call Bob"), 1)
        )
        + "</ul><span class='filter btn' id=k2>All</span><span class='filter btn' id=k3>Active</span><span class='filter btn' id=k4>Completed</span>",
        {
            "Click the checkbox next to 'Feed the cat'.": "c2",
            "Check the 'Buy milk' checkbox.": "c1",
            "Click the checkbox of the second task.": "c2",
            "Click the delete button of 'Call Bob' to remove it.": "d3",
            "Delete the task 'Buy milk'.": "d1",
            "Click the 'x' next to 'Feed the cat'": "d2",
            "Click the 'Completed' filter.": "k4",
            "Click 'Active' to show only active tasks.": "k3",
            "Click the checkbox next to 'Walk the dog'.": None,
            "Click the edit button of 'Buy milk'.": None,
        },
    ),
    "form": (
        BASE
        + "<form><label for=k1>First name</label><input id=k1><label>Email <input id=k2 type=email></label><div>Password</div><input id=k3 type=password>"
        "<div><input type=radio name=p id=k4><label for=k4>Monthly</label><input type=radio name=p id=k5><label for=k5>Yearly</label></div>"
        "<select id=k6 aria-label=Country><option>France</option><option>Norway</option></select><input type=checkbox id=k7> I accept the terms"
        "<button id=k8>Sign up</button><a href=# id=k9>Already a member? Log in</a></form>",
        {
            "type:Type 'Ada' into the first name field.": "k1",
            "type:Enter 'ada@x.org' in the email input": "k2",
            "type:Type 'secret' into the password box.": "k3",
            "type:Fill in the 'Email' field with 'ada@x.org'.": "k2",
            "type:Type '0123' into the phone number field.": None,
            "type:Type 'Ada' into the last name field.": None,
            "Click the 'Yearly' radio button.": "k5",
            "Select 'Monthly'": "k4",
            "Click the country dropdown.": "k6",
            "Select 'Norway' from the Country dropdown.": "k6",
            "Click the checkbox to accept the terms.": "k7",
            "Click the 'Sign up' button to create the account.": "k8",
            "Click the 'Log in' link": "k9",
            "Click the 'Cancel' button": None,
        },
    ),
    "icons": (
        BASE
        + "<nav><button id=k1 class=hamburger>☰</button><svg id=k2 class='icon-search' width=20 height=20 style='cursor:pointer'><title>Search</title><rect width=20 height=20 /></svg>"
        "<span id=k3 class='btn theme-toggle'>🌙</span><button id=k4 title=Notifications>🔔</button></nav>"
        "<div class=player><span id=k5 class=btn>⏮</span><span id=k6 class='btn play'>▶</span><span id=k7 class=btn>⏭</span></div>"
        "<div class=qty><span id=k8 class=btn>−</span> <b>1</b> <span id=k9 class=btn>+</span></div>"
        "<div role=dialog style='border:1px solid'><h2>Settings</h2><button id=k10>✕</button><div id=k11 role=switch aria-checked=false tabindex=0>Sounds</div></div>",
        {
            "Click the hamburger menu icon.": "k1",
            "Click the search icon in the header.": "k2",
            "Click the dark mode toggle.": "k3",
            "Click the bell icon to see notifications.": "k4",
            "Click the play button.": "k6",
            "Click the next button to skip the song": "k7",
            "Click the plus button to increase the quantity.": "k9",
            "Click the minus button.": "k8",
            "Click the '+' button.": "k9",
            "Close the settings dialog.": "k10",
            "Click the 'X' button to close the dialog": "k10",
            "Toggle the 'Sounds' switch.": "k11",
            "Click the download icon.": None,
            "Click the heart icon.": None,
        },
    ),
    "delegated": (
        BASE
        + "<table id=t><tr><th>Name</th><th>Score</th></tr><tr><td>Ada</td><td>9</td><td><span id=k1>Edit</span></td></tr><tr><td>Bob</td><td>7</td><td><span id=k2>Edit</span></td></tr></table>"
        "<div id=b class=board style='display:grid;grid-template-columns:repeat(3,50px)'>"
        + "".join(
            f"<div class=cell id=g{n} style='height:50px;border:1px solid'></div>"
            for n in range(1, 10)
        )
        + "</div>"
        "<h2>Delete</h2><script>t.addEventListener('click', () => 1); b.addEventListener('click', () => 1); document.addEventListener('click', () => 1)</script>",
        {
            "Click 'Edit' in the row of Bob.": "k2",
            "Click the Edit link for Ada": "k1",
            "Click the fifth cell of the board.": "g5",
            "Click the 10th cell.": None,
            "Click the 'Delete' button.": None,
        },
    ),
    "shadow and frame": (
        BASE
        + "<x-card></x-card><iframe id=f srcdoc=\"<button id=k2 onclick='1'>Inside frame</button>\"></iframe><div id=k3 contenteditable style='width:200px;height:30px' aria-label='Message'></div>"
        "<canvas id=k4 width=100 height=60></canvas><script>customElements.define('x-card', class extends HTMLElement { connectedCallback() { this.attachShadow({mode: 'open'}).innerHTML = '<button id=k1>Inside shadow</button>' } });"
        "k4.addEventListener('mousedown', () => 1)</script>",
        {
            "Click the 'Inside shadow' button.": "k1",
            "Click the 'Inside frame' button.": "k2",
            "type:Type 'hello' into the message editor.": "k3",
            "Click the canvas.": "k4",
        },
    ),
    "below": (
        BASE
        + "<div style='height:2000px'>Long text</div><div class='btn' id=k1>Load more</div><div style='display:none'><button>Hidden</button></div><p>Only text: Details</p><button disabled id=k2>Next page</button>",
        {
            "Click 'Load more' at the bottom of the page.": "k1",
            "Click the 'Hidden' button": None,
            "Click 'Details'.": None,
            "Click the 'Next page' button": "k2",
        },
    ),
    "search": (
        BASE
        + "<header><form class=search><input id=k1 placeholder='Find films, actors…'><button id=k2>Go</button></form></header><main><input id=k3 placeholder='Write a comment'><button id=k4>Post</button></main>",
        {
            "type:Type 'matrix' into the search box.": "k1",
            "type:Type 'Great film!' in the comment field": "k3",
            "type:Search for 'matrix'.": "k1",
            "Click into the search bar": "k1",
            "type:Type 'x' into the address field.": None,
            "Click the 'Post' button to submit the comment.": "k4",
        },
    ),
}

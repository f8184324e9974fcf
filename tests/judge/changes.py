# ruff: noqa: E501 - each page and each change stands on one line
"""Small pages, a change of each, and what is then true or false to say about it. None of them is a bundled sample."""

from __future__ import annotations

from typing import NamedTuple


class Case(NamedTuple):
    html: str
    change: str  # JavaScript
    true: tuple[str, ...]
    false: tuple[str, ...] = ()


BASE = "<!DOCTYPE html><meta charset=utf-8><body style='font:16px sans-serif;margin:8px'>"

CASES: dict[str, Case] = {
    "toast": Case(
        BASE
        + "<h1>Shop</h1><button id=b>Save</button><div id=t style='position:fixed;right:10px;top:10px' hidden>Settings saved successfully!</div>",
        "t.hidden = false",
        (
            "The text 'Settings saved successfully!' appears.",
            "A success message appears.",
            "A toast notification saying 'Settings saved successfully' is displayed.",
            'The message "Settings saved successfully!" is shown',
            "A notification pops up in the top right corner.",
        ),
        (
            "The text 'Settings saved' disappears.",
            "The text 'Profile saved' appears.",
            "A message 'Error' is displayed.",
            "The text 'Save' appears.",
        ),
    ),
    "counter": Case(
        BASE
        + "<div class=box><span class=label>Counter</span> <span id=n>2</span></div><div class=box>Likes: <b id=l>12</b></div><button>+</button>",
        "n.textContent = '3'",
        (
            "The counter shows 3.",
            "The counter increases to 3",
            "The counter changes from 2 to 3",
            "The counter increases by 1.",
            "The counter is now 3.",
            "The counter value updates to '3'.",
        ),
        (
            "The counter shows 4.",
            "The counter decreases.",
            "The counter changes from 3 to 4",
            "The counter increases by 2.",
            "The likes count increases.",
            "The number of likes changes to 13.",
        ),
    ),
    "badge": Case(
        BASE
        + "<header><a href=#>Home</a> <a href=#>Cart <span class='cart-badge' id=c>0</span></a></header><p>Items viewed: <span id=v>5</span></p>",
        "c.textContent = '1'",
        (
            "The cart badge changes from 0 to 1.",
            "The cart badge shows 1.",
            "The cart count increases to 1",
            "The number on the cart icon changes to 1.",
        ),
        (
            "The cart badge changes from 0 to 2.",
            "The items viewed count changes from 5 to 6.",
            "The cart badge disappears.",
        ),
    ),
    "accordion": Case(
        BASE
        + "<div class=item><button id=q aria-expanded=false>How do I pay?</button><p id=a hidden>Pay by card or on delivery.</p></div>"
        "<div class=item><button aria-expanded=false>How do I return?</button><p hidden>By post.</p></div>",
        "q.setAttribute('aria-expanded', 'true'); a.hidden = false",
        (
            "The section 'How do I pay?' is expanded.",
            "The answer 'Pay by card or on delivery.' becomes visible.",
            "The 'How do I pay?' question expands and the text 'Pay by card or on delivery.' appears.",
            "The accordion item opens.",
        ),
        (
            "The section 'How do I return?' is expanded.",
            "The text 'By post.' appears.",
            "The section 'How do I pay?' is collapsed.",
        ),
    ),
    "plain accordion": Case(
        BASE
        + "<div class=item><div class=head>Shipping</div><div class=body id=a style='display:none'>We ship within two days.</div></div><div class=item><div class=head>Returns</div></div>",
        "a.style.display = 'block'",
        (
            "The 'Shipping' section is expanded.",
            "The Shipping panel expands to show its content.",
            "The menu is expanded.",
        ),
        ("The text 'We ship within nine days' appears.",),
    ),
    "modal": Case(
        BASE
        + "<p>Article text</p><div id=m class=modal style='position:fixed;inset:60px;background:#fff;border:1px solid'><h2>Sign in</h2><p>Use your email</p><button>Close</button></div>",
        "m.remove()",
        (
            "The modal closes.",
            "The sign in dialog disappears.",
            "The text 'Use your email' is no longer visible.",
            "The popup is dismissed.",
            "The 'Sign in' dialog is closed",
        ),
        ("The sign in dialog opens.", "The text 'Article text' disappears.", "The modal appears."),
    ),
    "modal opens": Case(
        BASE
        + "<p>Article text</p><button>Sign in</button><div id=m class=modal style='position:fixed;inset:60px;background:#fff;border:1px solid' hidden><h2>Welcome back</h2><input placeholder=Email></div>",
        "m.hidden = false",
        (
            "A modal dialog opens.",
            "A login dialog appears.",
            "The dialog with the title 'Welcome back' is displayed.",
            "A popup with an 'Email' field is shown.",
        ),
        (
            "The modal closes.",
            "A dialog titled 'Create account' appears.",
        ),
    ),
    "star colour": Case(
        BASE
        + "<style>.star{color:#bbb;font-size:30px}.star.on{color:#f5b301}</style><p id=r>"
        + "".join(f"<span class=star aria-label='{n} stars'>★</span>" for n in range(1, 6))
        + "</p><p>Rate it</p>",
        "r.children[0].classList.add('on'); r.children[1].classList.add('on'); r.children[2].classList.add('on')",
        (
            "The third star turns yellow.",
            "The first 3 stars turn yellow.",
            "The stars are highlighted in yellow.",
            "The second star is filled.",
        ),
        ("The fifth star turns yellow.", "The stars turn blue.", "The text 'Thanks' appears."),
    ),
    "like": Case(
        BASE + "<button id=h style='background:#fff;border:1px solid'>♡ Like</button><p>A post</p>",
        "h.style.background = '#e0245e'; h.textContent = '♥ Liked'",
        (
            "The like button turns red.",
            "The button text changes to 'Liked'.",
            "The 'Like' button changes to 'Liked'.",
            "The like button becomes active.",
        ),
        ("The button text changes to 'Saved'.", "The like button turns green."),
    ),
    "checkbox": Case(
        BASE
        + "<ul><li><input type=checkbox id=a><label for=a>Buy milk</label></li><li><input type=checkbox id=b checked><label for=b>Feed the cat</label></li></ul>",
        "a.checked = true",
        (
            "The checkbox of 'Buy milk' is checked.",
            "'Buy milk' is checked.",
            "The 'Buy milk' checkbox becomes checked.",
        ),
        ("The 'Feed the cat' checkbox is unchecked.", "The 'Buy milk' checkbox is unchecked."),
    ),
    "todo done": Case(
        BASE
        + "<style>.done{text-decoration:line-through}</style><ul><li id=a>Buy milk</li><li>Feed the cat</li></ul><p id=c>2 items left</p>",
        "a.className = 'done'; c.textContent = '1 item left'",
        (
            "'Buy milk' is crossed out.",
            "The item 'Buy milk' is marked as completed.",
            "The text '1 item left' is displayed and 'Buy milk' is struck through.",
        ),
        ("'Feed the cat' is crossed out.", "The text '0 items left' is displayed."),
    ),
    "removed item": Case(
        BASE
        + "<h2>Cart</h2><ul><li id=x>Oak table <button>Remove</button></li><li>Pine chair <button>Remove</button></li></ul><p>Total: <span id=t>$300</span></p>",
        "x.remove(); t.textContent = '$100'",
        (
            "The item 'Oak table' is removed from the cart.",
            "'Oak table' disappears from the list and the total changes to $100.",
            "The total shows '$100'.",
            "Only one item remains in the cart.",
            "The total decreases.",
        ),
        (
            "The item 'Pine chair' is removed from the cart.",
            "The total changes to $90.",
            "The cart is empty.",
        ),
    ),
    "filter": Case(
        BASE
        + "<input value=re><p id=n>6 results</p><div id=g>"
        + "".join(
            f"<div class=card><h3>{name}</h3></div>"
            for name in ("Red fox", "Blue jay", "Reindeer", "Otter", "Heron", "Lynx")
        )
        + "</div>",
        "[...g.children].forEach(c => { if (!/re/i.test(c.textContent)) c.hidden = true }); n.textContent = '2 results'",
        (
            "Only 2 cards are shown.",
            "The list shows 2 results.",
            "2 results are displayed.",
            "Only 'Red fox' and 'Reindeer' are visible.",
            "'Otter' disappears from the list.",
            "The result count changes from 6 to 2.",
        ),
        ("Only 3 cards are shown.", "'Red fox' disappears.", "The list shows 6 results."),
    ),
    "sorted": Case(
        BASE
        + "<select><option>Default</option></select><div id=g>"
        + "".join(
            f"<div class=card><h3>{n}</h3><p class=price>${p}</p></div>"
            for n, p in (("Tea pot", 30), ("Lamp", 12), ("Rug", 90))
        )
        + "</div>",
        "[...g.children].sort((a, b) => a.lastChild.textContent.slice(1) - b.lastChild.textContent.slice(1)).forEach(c => g.append(c))",
        (
            "The products are sorted by price from low to high.",
            "The first product is 'Lamp'.",
            "The products are sorted in ascending order of price.",
        ),
        (
            "The products are sorted by price from high to low.",
            "The first product is 'Rug'.",
            "The products are sorted alphabetically.",
        ),
    ),
    "tabs": Case(
        BASE
        + "<style>.tab{padding:4px;border-bottom:2px solid #fff}.active{border-color:#06c}</style><span class='tab active' id=a>Overview</span> <span class=tab id=b>Reviews</span>"
        "<div id=p1>It is a fine product.</div><div id=p2 hidden>Five people liked it.</div>",
        "a.classList.remove('active'); b.classList.add('active'); p1.hidden = true; p2.hidden = false",
        (
            "The 'Reviews' tab becomes active.",
            "The 'Reviews' tab is selected and the text 'Five people liked it.' appears.",
            "The 'Overview' tab is no longer active.",
            "The content switches to the reviews.",
        ),
        ("The 'Overview' tab becomes active.", "The text 'It is a fine product.' appears."),
    ),
    "dark mode": Case(
        BASE
        + "<style>body{background:#fff;color:#111}body.dark{background:#111;color:#eee}</style><button id=t>Dark mode</button><p>Text</p>",
        "document.body.classList.add('dark')",
        (
            "The page switches to dark mode.",
            "The background turns black.",
            "The page background becomes dark.",
        ),
        ("The page switches to light mode.", "The background turns white."),
    ),
    "field": Case(
        BASE
        + "<label>Search <input id=s placeholder='Search films'></label><button id=go disabled>Go</button>",
        "s.value = 'matrix'; go.disabled = false",
        (
            "The search box contains 'matrix'.",
            "The text 'matrix' appears in the search box.",
            "The search field shows 'matrix'.",
            "The 'Go' button becomes enabled.",
        ),
        (
            "The search box contains 'inception'.",
            "The search box is empty.",
            "The 'Go' button is disabled.",
        ),
    ),
    "cleared": Case(
        BASE + "<input id=s value=matrix aria-label=Search><p id=e hidden>No messages yet</p>",
        "s.value = ''; e.hidden = false",
        (
            "The search field is cleared.",
            "The search box is empty.",
            "The text 'No messages yet' appears.",
        ),
        ("The search field contains 'matrix'.",),
    ),
    "scroll": Case(
        BASE
        + "<h1>Top</h1><div style='height:1500px'></div><h2 id=r>Reviews</h2><p>Great.</p><div style='height:600px'></div>",
        "r.scrollIntoView()",
        (
            "The page scrolls down.",
            "The 'Reviews' section is visible.",
            "The page scrolls to the 'Reviews' section.",
            "The heading 'Reviews' comes into view.",
            "The reviews section is displayed.",
        ),
        (
            "The page scrolls up.",
            "The page is scrolled to the top.",
            "The heading 'Questions' comes into view.",
        ),
    ),
    "progress": Case(
        BASE
        + "<h2>Step 1 of 3</h2><div style='width:300px;height:10px;background:#eee'><div id=p class=progress-bar style='width:30%;height:10px;background:#0a0'></div></div>",
        "document.querySelector('h2').textContent = 'Step 2 of 3'; p.style.width = '60%'",
        (
            "The heading changes to 'Step 2 of 3'.",
            "The progress bar moves forward.",
            "The step indicator shows 'Step 2 of 3'.",
            "The progress bar grows.",
        ),
        ("The heading changes to 'Step 3 of 3'.",),
    ),
    "kanban": Case(
        BASE
        + "<div style='display:flex;gap:20px'><div class=col><h3>To do</h3><div class=card id=k>Fix bug</div><div class=card>Plan</div></div><div class=col id=d><h3>Done</h3><div class=card>Draw</div></div></div>",
        "d.append(k)",
        (
            "The card 'Fix bug' moves to the Done column.",
            "The card 'Fix bug' moves to the 'Done' column.",
            "'Fix bug' appears in the 'Done' column.",
        ),
        (
            "The card 'Plan' moves to the Done column.",
            "The card 'Fix bug' disappears.",
            "'Plan' appears in the 'Done' column.",
        ),
    ),
    "play": Case(
        BASE + "<button id=p aria-label=Play>▶</button><p>Night song</p>",
        "p.setAttribute('aria-label', 'Pause'); p.textContent = '⏸'",
        (
            "The play button changes to a pause button.",
            "The play icon changes to a pause icon.",
            "The 'Play' button changes to 'Pause'.",
        ),
        ("The text 'Stopped' appears.",),
    ),
    "dropdown": Case(
        BASE
        + "<nav><span class=btn>Products</span> <span class=btn>About</span><ul id=m class=dropdown style='display:none;position:absolute'><li>Phones</li><li>Laptops</li><li>Watches</li></ul></nav>",
        "m.style.display = 'block'",
        (
            "A dropdown menu with 'Phones', 'Laptops' and 'Watches' appears.",
            "The dropdown menu opens.",
            "The Products menu is displayed.",
            "Three menu items are shown.",
            "A list of options is shown, including 'Phones'.",
        ),
        (
            "The dropdown menu closes.",
            "A dropdown menu with 'Cameras' appears.",
            "Five menu items are shown.",
        ),
    ),
    "validation": Case(
        BASE
        + "<style>.bad{border:1px solid red}</style><label>Email <input id=e value=ada></label><p id=m style='color:#c00'></p>",
        "e.className = 'bad'; e.setAttribute('aria-invalid', 'true'); m.textContent = 'Please enter a valid email address'",
        (
            "An error message is displayed below the email field.",
            "The error 'Please enter a valid email address' is shown in red.",
            "The email field is highlighted in red.",
            "The email field is marked as invalid.",
        ),
        ("The error 'Name is required' is shown.",),
    ),
    "image": Case(
        BASE
        + "<div id=i style='width:200px;height:120px;background:#c33' class=main-image role=img aria-label='Main image'></div><div class=thumb style='width:40px;height:40px;background:#33c'></div>",
        "i.style.background = '#33c'",
        ("The main image changes.", "The main image turns blue."),
        ("The main image disappears.", "The text 'Blue' appears."),
    ),
    "navigation": Case(
        BASE + "<nav>Home About</nav><main id=m><h1>Home</h1><p>Welcome</p></main>",
        "m.innerHTML = '<h1>About us</h1><p>We are three people.</p>'",
        (
            "The page shows the heading 'About us'.",
            "The page navigates to the 'About us' page.",
            "The About page is displayed.",
            "The page title changes to 'About us'.",
            "The text 'Welcome' disappears and 'We are three people.' appears.",
        ),
        ("The page shows the heading 'Contact'.", "The page navigates to the 'Contact' page."),
    ),
    "chat": Case(
        BASE + "<div id=log><div class=msg>Hello!</div></div><input id=t value='How are you?'>",
        "log.insertAdjacentHTML('beforeend', '<div class=msg>How are you?</div>'); t.value = ''",
        (
            "The message 'How are you?' is added to the conversation.",
            "A new message 'How are you?' appears and the input field is cleared.",
            "The input field becomes empty.",
        ),
        ("The message 'Bye' is added to the conversation.",),
    ),
    "split text": Case(
        BASE + "<p id=o></p>",
        "o.innerHTML = 'Rating updated successfully: <b>9</b>/<b>10</b>'",
        ("The text 'Rating updated successfully: 9/10' appears.",),
        ("The text 'Rating updated successfully: 8/10' appears.",),
    ),
    "price": Case(
        BASE
        + "<div>Subtotal <span>$20.00</span></div><div>Shipping <span id=s>$5.00</span></div><div>Total <b id=t>$25.00</b></div>",
        "s.textContent = 'Free'; t.textContent = '$20.00'",
        (
            "The total changes to $20.00.",
            "The total changes from $25.00 to $20.00.",
            "The shipping cost becomes 'Free'.",
            "Shipping is now free.",
        ),
        ("The subtotal changes to $15.00.", "The total is $25.00."),
    ),
    "nothing": Case(
        BASE + "<h1>Title</h1><p>Counter: 3</p><input type=checkbox checked>",
        "0",
        (),
        (
            "The text 'Title' appears.",
            "The counter shows 3.",
            "The checkbox is checked.",
            "The title remains visible.",
            "A message appears.",
            "Something happens.",
        ),
    ),
    "hover only": Case(
        BASE + "<style>button:focus{background:red;color:#fff}</style><button id=b>Like</button>",
        "b.focus()",
        (),
        (
            "The like button turns red.",
            "The like button is highlighted.",
            "The like button becomes active.",
        ),
    ),
    "hidden all along": Case(
        BASE
        + "<p id=a style='opacity:0'>Saved</p><p style='display:none' id=b>Stored</p><div style='height:10px;overflow:hidden'><br><br>Kept</div><p id=c>x</p>",
        "c.textContent = 'y'",
        ("The text 'y' appears.",),
        ("The text 'Saved' appears.", "The text 'Stored' appears.", "The text 'Kept' appears."),
    ),
    "covered": Case(
        BASE
        + "<div style='position:relative;height:80px'><p id=u style='position:absolute;top:0;left:0'>Secret</p><div id=v style='position:absolute;inset:0;background:#fff'></div></div>",
        "v.remove()",
        ("The text 'Secret' appears.",),
        ("The text 'Secret' disappears.",),
    ),
}

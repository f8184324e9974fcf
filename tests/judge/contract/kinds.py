# ruff: noqa: E501 - a page stands on one line
"""Small pages of the kinds that a person meets: what is done, wrong pages, and pages that are as good."""

from __future__ import annotations

from typing import NamedTuple

from tests.judge.contract.stage import Do, do

HEAD = "<!doctype html><meta charset=utf-8><style>body{font:16px sans-serif}</style>"
Change = tuple[str, str]


class Kind(NamedTuple):
    """A right page and what is done to it. Each change makes a wrong page, or one as good."""

    name: str
    page: str
    steps: tuple[Do, ...]
    wrong: tuple[Change, ...] = ()
    as_good: tuple[Change, ...] = ()


KINDS = (
    Kind(
        "transparent checkbox",
        "<style>.c{opacity:0;width:36px;height:36px;position:absolute;margin:0}label{padding-left:48px;line-height:36px}.c:checked+label{text-decoration:line-through}</style><ul><li><input class=c type=checkbox><label>Water plants</label><li><input class=c type=checkbox><label>Call Ann</label></ul>",
        (do("click", "li:nth-child(1) .c", "'Water plants' is struck through."),),
        (
            (":checked+label{text-decoration:line-through}", ":checked+label{color:#111}"),
            (
                "</ul>",
                "</ul><script>document.querySelectorAll('.c').forEach((c,i,a)=>c.onclick=e=>{e.preventDefault();setTimeout(()=>a[1].checked=true)})</script>",
            ),
        ),
        (
            ("<ul>", "<ul class=list id=todo style='list-style:none'>"),
            (
                "<li><input class=c type=checkbox><label>Water plants</label><li><input class=c type=checkbox><label>Call Ann</label></ul>",
                "<li><input type=checkbox onchange=\"this.nextSibling.style.textDecoration=this.checked?'line-through':''\"><span>Water plants</span><li><input type=checkbox><span>Call Ann</span></ul>",
            ),
        ),
    ),
    Kind(
        "button revealed by hovering",
        "<style>.x{display:none}li:hover .x{display:inline}</style><ul><li>Tea <button class=x onclick='this.parentNode.remove()'>×</button><li>Rice <button class=x onclick='this.parentNode.remove()'>×</button></ul>",
        (do("click", "li:nth-child(2) .x", "'Rice' leaves the list.", hover="li:nth-child(2)"),),
        (
            ("onclick='this.parentNode.remove()'>×</button></ul>", ">×</button></ul>"),
            (
                "<li>Rice <button class=x onclick='this.parentNode.remove()'>",
                "<li>Rice <button class=x onclick='document.querySelector(\"li\").remove()'>",
            ),
            (
                "<li>Rice <button class=x onclick='this.parentNode.remove()'>",
                "<li>Rice <button class=x onclick='this.parentNode.parentNode.innerHTML=\"\"'>",
            ),
        ),
        (
            (".x{display:none}", ".x{opacity:0}li:hover .x{opacity:1!important}"),
            (
                "<li>Tea <button class=x onclick='this.parentNode.remove()'>×</button>",
                "<li><i>Tea</i> <button class=x>✕</button>",
            ),
        ),
    ),
    Kind(
        "menu opened by hovering",
        "<style>.m ul{display:none;margin:0}.m:hover ul{display:block}</style><div class=m><a href='#'>Shop</a><ul><li><a href='#' onclick=\"o.textContent='Phones for you'\">Phones</a><li><a href='#' onclick=\"o.textContent='Tablets for you'\">Tablets</a></ul></div><p id=o>Welcome</p>",
        (do("click", "ul a", "The text 'Phones for you' appears.", hover=".m > a"),),
        (("Phones for you", "Tablets again"), (".m:hover ul{display:block}", "")),
        (("<a href='#'>Shop</a>", "<span tabindex=0>Shop</span>"),),
    ),
    Kind(
        "one of many alike",
        "<style>.s{width:28px;height:24px;background:#456;margin:3px}.r{display:flex}.on{background:#6cf}</style><div id=c>"
        + 3 * "<div class=r><div class=s></div><div class=s></div><div class=s></div></div>"
        + "</div><p>Chosen: <b id=n>0</b></p><script>c.addEventListener('click',e=>{if(e.target.matches('.s')){e.target.classList.toggle('on');n.textContent=document.querySelectorAll('.on').length}})</script>",
        (
            do(
                "click",
                ".r:nth-child(3) .s:nth-child(1)",
                "The number of chosen seats changes from 0 to 1.",
            ),
            do(
                "click", ".r:nth-child(2) .s:nth-child(2)", "The seat is highlighted, 2 are chosen."
            ),
        ),
        (
            (
                "n.textContent=document.querySelectorAll('.on').length",
                "n.textContent=document.querySelectorAll('.on').length-1",
            ),
            ("document.querySelectorAll('.on').length", "1"),
        ),
        (
            ("<p>Chosen: <b id=n>0</b></p>", "<footer>Chosen: <i id=n>0</i></footer>"),
            ("margin:3px", "margin:5px"),
        ),
    ),
    Kind(
        "native list box",
        "<label for=m>Film:</label> <select id=m onchange=\"o.textContent='Price $'+this.value\"><option value=9>Heat ($9)<option value=11>Alien ($11)</select><p id=o>Price $9</p>",
        (do("select", "#m", "The price becomes $11.", option="Alien ($11)"),),
        (
            ("'Price $'+this.value", "'Price $1'+this.value"),
            ("o.textContent=", "o.title="),
            ("Alien ($11)", "Aliens ($11)"),
        ),
        (
            ("<p id=o>", "<h2 id=o class=total>"),
            (
                "<select id=m onchange=\"o.textContent='Price $'+this.value\"><option value=9>Heat ($9)<option value=11>Alien ($11)</select>",
                "<span role=combobox tabindex=0 onclick='q.hidden=false' style='border:1px solid'>Heat ($9)</span><ul id=q hidden><li onclick=\"o.textContent='Price $11';q.hidden=true\">Alien ($11)</ul>",
            ),
        ),
    ),
    Kind(
        "list box behind a styled one",
        "<style>.h{clip:rect(0 0 0 0);height:1px;width:1px;overflow:hidden;position:absolute}</style><label for=s>Country</label> <div style='position:relative'><select id=s class=h><option>Choose one<option>Chile</select><span role=combobox tabindex=0 aria-expanded=false aria-labelledby=q style='border:1px solid;padding:4px' onclick='l.hidden=false'><span id=q>Choose one</span></span></div><ul id=l hidden><li>Brazil<li>Chile</ul>",
        (do("click", "[role=combobox]", "A list with 'Brazil' and 'Chile' opens."),),
        (("onclick='l.hidden=false'", ""), ("<li>Brazil", "<li>Bolivia")),
        (("role=combobox tabindex=0", "role=button tabindex=0"),),
    ),
    Kind(
        "button that is only an icon",
        "<div role=toolbar><button aria-label=bold onclick='t.style.fontWeight=700'><svg width=12 height=12><path d='M2 2h8v8z'/></svg></button><button aria-label=italic onclick=\"t.style.fontStyle='italic'\"><svg width=12 height=12><path d='M2 2h8v8z'/></svg></button></div><p id=t>Good day</p>",
        (do("click", "[aria-label=bold]", "The text 'Good day' becomes bold."),),
        (("t.style.fontWeight=700", "t.style.color='#333'"),),
        (
            ("<button aria-label=bold", "<button"),
            ("<p id=t>Good day</p>", "<div class=e><span id=t>Good day</span></div>"),
        ),
    ),
    Kind(
        "page moved by the wheel alone",
        "<style>html,body{height:100%;margin:0;overflow:hidden}</style><h1 id=o>Chapter 1</h1><script>let i=1;addEventListener('wheel',e=>{i+=e.deltaY>0?1:-1;o.textContent='Chapter '+i})</script>",
        (do("scroll", None, "'Chapter 2' is displayed.", wheel=(0, 300)),),
        (
            ("e.deltaY>0?1:-1", "e.deltaY>0?-1:1"),
            ("addEventListener('wheel'", "addEventListener('keyup'"),
        ),
        (("<h1 id=o>", "<p id=o style='font-size:40px'>"),),
    ),
    Kind(
        "switch",
        "<label><input type=checkbox role=switch id=s> Weekly digest</label>",
        (do("click", "#s", "The switch is turned on."),),
        (("id=s>", "id=s onclick='event.preventDefault()'>"), ("id=s>", "id=s checked>")),
        (
            (
                "<label><input type=checkbox role=switch id=s> Weekly digest</label>",
                "<div id=s role=switch tabindex=0 aria-checked=false onclick=\"this.setAttribute('aria-checked','true')\">Weekly digest</div>",
            ),
        ),
    ),
    Kind(
        "sorted table",
        "<table border=1><thead><tr><th>Who<th id=h style='cursor:pointer'>Score<tbody id=b><tr><td>Mia<td>34<tr><td>Ola<td>21<tr><td>Eve<td>48</table><script>h.onclick=()=>b.append(...[...b.rows].sort((x,y)=>x.cells[1].textContent-y.cells[1].textContent))</script>",
        (do("click", "#h", "The rows are sorted by score in ascending order."),),
        (
            (
                "x.cells[1].textContent-y.cells[1].textContent",
                "y.cells[1].textContent-x.cells[1].textContent",
            ),
            ("h.onclick=", "h.onkeyup="),
            (".sort((x,y)=>x.cells[1].textContent-y.cells[1].textContent)", ".reverse()"),
        ),
        (
            (
                "b.append(...[...b.rows].sort((x,y)=>x.cells[1].textContent-y.cells[1].textContent))",
                "b.innerHTML=[...b.rows].sort((x,y)=>x.cells[1].textContent-y.cells[1].textContent).map(r=>'<tr class=new>'+r.innerHTML).join('')",
            ),
        ),
    ),
    Kind(
        "tabs",
        "<button id=a role=tab>First</button><button id=b role=tab onclick=\"p.textContent='Nunc tincidunt elit.'\">Second</button><p id=p>Proin risus.</p>",
        (
            do(
                "click",
                "#b",
                "The content of the second tab beginning with 'Nunc tincidunt' is displayed.",
            ),
        ),
        (("Nunc tincidunt elit.", "Proin risus again."),),
        (
            ("<button id=b role=tab", "<a href='#' id=b class=tab"),
            ("<p id=p>", "<section id=p class=panel>"),
        ),
    ),
    Kind(
        "carousel",
        "<div style='overflow:hidden;width:200px'><div id=w style='display:flex;width:600px'><div style='width:200px'>Photo A</div><div style='width:200px'>Photo B</div><div style='width:200px'>Photo C</div></div></div><button id=n aria-label='Next photo' onclick=\"w.style.transform='translateX(-200px)'\">›</button>",
        (do("click", "#n", "The slider moves to 'Photo B'."),),
        (("-200px", "-400px"), ("-200px", "0px")),
        ((">›</button>", ">→</button>"), ("transform='translateX(-200px)'", "marginLeft='-200px'")),
    ),
    Kind(
        "accordion",
        "<h2><button aria-expanded=false id=b onclick=\"this.setAttribute('aria-expanded','true');p.hidden=false\">Returns</button></h2><p id=p hidden>Free within 30 days.</p><h2><button>Payment</button></h2>",
        (do("click", "#b", "'Returns' expands to show 'Free within 30 days'."),),
        (
            ("Free within 30 days.", "Nothing to see here."),
            ("Free within 30 days.", "Free within 3 days."),
        ),
        (
            ("<h2><button>Payment</button></h2>", "<h3><button>Payment</button></h3>"),
            ("<p id=p hidden>", "<div id=p hidden class=x>"),
        ),
    ),
    Kind(
        "direction of a move",
        "<div style='position:relative;height:60px'><div id=t style='position:absolute;left:200px;width:50px;height:50px;background:#ed9'>8</div></div><script>addEventListener('keydown',e=>{t.style.left='0px'})</script>",
        (do("press", None, "The tile moves to the left.", keys=("ArrowLeft",)),),
        (
            ("left='0px'", "left='400px'"),
            ("left='0px'", "left='200px'"),
            ("t.style.left='0px'", "t.style.top='90px'"),
        ),
        (("left='0px'", "left='20px'"), ("background:#ed9", "background:#9de;border-radius:6px")),
    ),
    Kind(
        "list drawn again",
        "<ul id=l><li>4<li>8</ul><script>addEventListener('keydown',()=>{l.innerHTML='<li>4<li>8<li>4'})</script>",
        (do("press", None, "A new tile appears.", keys=("ArrowUp",)),),
        (("<li>4<li>8<li>4", "<li>4<li>8"),),
        (("<ul id=l>", "<ol id=l style='list-style:none'>"),),
    ),
    Kind(
        "filter",
        "<input id=i placeholder='Find a person'><ul><li>Tom Reed<li>Anna May<li>Ben Anders<li>Joan Lee</ul><script>i.oninput=()=>{for(const e of document.querySelectorAll('li'))e.hidden=!e.textContent.includes(i.value)}</script>",
        (do("type", "#i", "Only rows whose name contains 'An' are shown.", text="An"),),
        (
            ("i.oninput", "i.onblur"),
            (".includes(i.value)", ".startsWith(i.value)"),
            ("!e.textContent.includes(i.value)", "e.textContent.includes(i.value)"),
        ),
        (
            (
                "<input id=i placeholder='Find a person'>",
                "<p><input type=search id=i class=f placeholder='Find a person'></p>",
            ),
        ),
    ),
    Kind(
        "date",
        "<input id=i aria-label='Arrival' onclick='c.hidden=false'><div id=c hidden>March 2026<table><tr><td>1<td>2</table></div>",
        (do("click", "#i", "A calendar popup for March 2026 opens."),),
        (("March 2026", "April 2026"), ("March 2026", "March 2025")),
        (("<div id=c hidden>March 2026", "<div id=c hidden class=pop><b>March</b> <i>2026</i>"),),
    ),
    Kind(
        "drag below another",
        "<ul><li id=a draggable=true>Write<li id=b>Review</ul><script>b.ondragover=e=>e.preventDefault();b.ondrop=()=>b.after(a)</script>",
        (do("drag", "#a", "'Write' is below 'Review'.", drop="#b"),),
        (("b.ondrop=()=>b.after(a)", "b.ondrop=()=>0"), ("draggable=true", "onclick='b.after(a)'")),
        (
            (
                "<li id=a draggable=true>Write<li id=b>Review",
                "<li id=a class=card draggable=true><p>Write</p><li id=b class=card><p>Review</p>",
            ),
        ),
    ),
    Kind(
        "slider that is dragged",
        "<div id=t style='width:200px;height:20px;background:#ddd;position:relative'><div id=h style='position:absolute;left:0;width:20px;height:20px;background:#36c' aria-label='Volume'></div></div><p id=o>Quiet</p><script>let d=0;h.onpointerdown=()=>d=1;onpointermove=e=>{if(d)h.style.left=Math.max(0,e.clientX-18)+'px'};onpointerup=()=>{if(d)o.textContent=h.offsetLeft>60?'Loud':'Quiet';d=0}</script>",
        (do("drag", "#h", "The handle moves to the right and 'Loud' is shown.", path=((120, 0),)),),
        (
            ("h.offsetLeft>60", "h.offsetLeft>600"),
            ("h.style.left=Math.max(0,e.clientX-18)+'px'", "o.title='x'"),
        ),
        (("background:#36c", "background:#c36;border-radius:10px"),),
    ),
    Kind(
        "press and hold",
        "<div id=h style='width:120px;background:#fdd'>Hold me</div><p id=o>Nothing</p><script>let t;h.onpointerdown=()=>t=setTimeout(()=>o.textContent='Unlocked',600);h.onpointerup=()=>clearTimeout(t)</script>",
        (do("hold", "#h", "The text 'Unlocked' appears.", seconds=1.0),),
        (("600", "60000"),),
        (("<div id=h", "<button id=h"),),
    ),
    Kind(
        "double and right click",
        "<button id=d ondblclick=\"o.textContent='Renaming'\">Report</button><button id=r oncontextmenu=\"event.preventDefault();o.textContent='Menu of options'\">More</button><p id=o>-</p>",
        (
            do("double_click", "#d", "'Renaming' is shown."),
            do("right_click", "#r", "'Menu of options' opens."),
        ),
        (("ondblclick", "onkeyup"), ('oncontextmenu="event.preventDefault();', 'onclick="')),
        (("<button id=r", "<span id=r"),),
    ),
    Kind(
        "answers to dialogs",
        "<button id=c onclick=\"o.textContent=confirm('Sure?')?'Deleted it':'Kept it'\">Delete</button><button id=p onclick=\"q.textContent='Hello '+prompt('Who?')\">Greet</button><p id=o>-</p><p id=q>-</p>",
        (
            do("click", "#c", "'Kept it' is shown.", dialogs=({"accept": False},)),
            do("click", "#p", "'Hello Ada' is shown.", dialogs=({"accept": True, "text": "Ada"},)),
        ),
        (("confirm('Sure?')?", "!confirm('Sure?')?"), ("'Hello '+prompt('Who?')", "'Hello you'")),
        (("<p id=q>", "<h3 id=q>"),),
    ),
    Kind(
        "rating by stars",
        "<style>.s{display:inline-block;width:24px;height:24px;background:#ccc;margin:2px}.s.on{background:#e90}</style><div id=c>"
        + 5 * "<span class=s></span>"
        + "</div><script>const a=[...c.children];a.forEach((s,i)=>s.onclick=()=>a.forEach((t,j)=>t.classList.toggle('on',j<=i)))</script>",
        (do("click", ".s:nth-child(4)", "The first four stars are filled."),),
        (("j<=i", "j<i"), ("j<=i", "j<=i+1"), ("j<=i", "j>i+9")),
        (("background:#e90", "background:#fa0"), ("<span class=s></span>", "<i class=s></i>")),
    ),
    Kind(
        "value of a field",
        "<label>City <input id=c></label> <button onclick=\"c.value='Oslo'\">Locate</button>",
        (do("click", "button", "The City field shows Oslo."),),
        (("'Oslo'", "'Bergen'"), ("c.value=", "c.title=")),
        (("<label>City <input id=c></label>", "<span>City</span> <input id=c class=w>"),),
    ),
    Kind(
        "inner scroller",
        "<aside id=s style='height:100px;overflow:auto;width:200px'><div style='height:600px'>Sidebar <p style='margin-top:150px'>Archive</p></div></aside><p>Body</p>",
        (do("scroll", "#s", "The sidebar scrolls down.", wheel=(0, 120)),),
        (("overflow:auto", "overflow:hidden"),),
        (("<aside id=s style='height:100px", "<div id=s style='height:110px"),),
    ),
    Kind(
        "keys together",
        "<p id=o>-</p><script>addEventListener('keydown',e=>{if(e.ctrlKey&&e.key=='c')o.textContent='Copied 1';if(e.shiftKey&&e.key=='Tab')o.textContent='Back'})</script>",
        (
            do("press", None, "'Copied 1' is shown.", keys=("Control+C",)),
            do("press", None, "'Back' is shown.", keys=("Shift+Tab",)),
        ),
        (("e.ctrlKey", "e.altKey"), ("'Back'", "'Forward'")),
        (("<p id=o>", "<div id=o>"),),
    ),
    Kind(
        "greyed days of a calendar that opens",
        "<style>#c{display:grid;grid-template-columns:repeat(7,40px)}.off{color:#ccc}</style><button id=b>Date</button><div id=c></div><script>b.onclick=()=>{for(let i=1;i<31;i++)c.innerHTML+=`<div class='${i<15?'off':'on'}'>${i}</div>`}</script>",
        (do("click", "#b", "A calendar opens in which the days before the 15th are greyed out."),),
        (("i<15", "i<0"), ("i<15", "i<14"), ("i<15", "i<16")),
        (("color:#ccc", "opacity:.3"), ("color:#ccc", "color:#99a"), ("40px", "60px")),
    ),
    Kind(
        "pieces of a board that is redrawn",
        "<style>#g{position:relative;width:240px;height:240px;background:#bba}.t{position:absolute;width:50px;height:50px;text-align:center}</style><div id=g></div><script>const draw=a=>g.innerHTML=a.map(([t,x,y])=>`<div class=t style='left:${x*60}px;top:${y*60}px'>${t}</div>`).join('');draw([[2,1,1],[2,2,1]]);addEventListener('keydown',()=>draw([[4,0,1],[2,1,3]]))</script>",
        (do("press", None, "The two 2 tiles merge into a 4 at the left.", keys=("ArrowLeft",)),),
        (("[4,0,1]", "[4,3,1]"), ("[2,1,3]]))", "[2,1,0]]))")),
        (("x*60", "x*80"), ("position:relative", "position:relative;margin:90px")),
    ),
)

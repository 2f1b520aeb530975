"""Judging in a browser of this machine: one page, served to whoever knows its address, and to nobody else.

The server listens on the loopback address alone. The address holds a random token, so that other users and other pages
cannot guess it; a request for another host is refused, so that a name that somebody points at this machine opens
nothing; the page loads nothing from anywhere and runs no code but its own.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Mapping
from functools import cache
from hashlib import blake2b
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from embassay.errors import EmbassayError, HomeNotWritable, UsageError
from embassay.evaluate.judge.label.keys import ANSWER, IRRELEVANT, QUIT, RELEVANT, REST, SKIP, UNDO, key_of
from embassay.text import printable

if TYPE_CHECKING:
    from jinja2 import Template

    from embassay.evaluate.judge.label.labelling import Labelling, Shown

ADDRESS = "127.0.0.1"
WIDTH = 600
"""Characters of the telling part of a passage."""
MOST_BYTES = 20_000
"""Of what a form sends."""
SECONDS = 30.0
"""That a browser may take to say what it wants."""
JUDGING = ((RELEVANT, ANSWER, IRRELEVANT), (REST, SKIP, UNDO, QUIT))
NOTHING_LEFT = ((UNDO, QUIT),)


class LabelPage:
    """One sitting in a browser. Requests are answered one after the other."""

    def __init__(self, judging: Labelling) -> None:
        """Raises HomeNotWritable where no port is to be had."""
        self._judging = judging
        self._token = secrets.token_urlsafe(24)
        self._turn = threading.Lock()
        self._over = threading.Event()
        self._said = ""
        self._failure: Exception | None = None
        try:
            self._server = _Server(self)
        except OSError as error:
            raise HomeNotWritable(f"no page can be served on {ADDRESS}: {error.strerror or error}.") from error

    @property
    def url(self) -> str:
        """Where it is. Whoever has it can judge."""
        return f"http://{ADDRESS}:{self._server.server_port}/{self._token}/"

    def run(self) -> None:
        """Serve until somebody stops on the page. Raises HomeNotWritable where a key could not be kept."""
        thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        thread.start()
        try:
            self._over.wait()
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()
        if self._failure:
            raise self._failure

    def render(self, nonce: str, *, ended: bool = False) -> str:
        """The page as it is now.

        Whatever comes from documents and questions is escaped by the template, and loses the characters that would hide
        in the page or turn its direction.
        """
        shown = self._judging.current
        values: dict[str, object] = {
            "nonce": nonce,
            "ended": ended,
            "name": self._judging.folder.name,
            "said": self._said,
            "shown": shown,
            "at": _at(shown),
            "why": shown.why if shown else "",
            "telling": self._judging.telling(shown, WIDTH) if shown else (),
            "rows": JUDGING if shown else NOTHING_LEFT,
            "standing": self._judging.standing,
        }
        return printable(_template().render(values), lines=True)

    def is_ours(self, host: str, path: str) -> str | None:
        """What a request asks for: the part of its path behind the token; None for one that is none of ours."""
        if host not in (f"{ADDRESS}:{self._server.server_port}", f"localhost:{self._server.server_port}"):
            return None
        _, token, *rest = [*path.partition("?")[0].split("/"), "", ""]
        if not secrets.compare_digest(token.encode(), self._token.encode()):
            return None
        return "/".join(rest).rstrip("/")

    def post(self, what: str, form: Mapping[str, str]) -> bool:
        """Do what a form asks for; whether the sitting is over.

        What does not fit what is shown now does nothing: a key that was pressed twice, or in another window.
        """
        try:
            if what == "question":
                added = self._judging.add([form.get("question", "")])
                self._said = "" if added else "That question is here already."
            elif form.get("at", "") == _at(self._judging.current):
                if key_of(form.get("key", "")) is QUIT:
                    return True
                self._said = self._judging.press(form.get("key", "")).capitalize() + "."
        except UsageError as error:
            self._said = str(error)
        return False

    def answer(self, request: _Request, what: str, form: Mapping[str, str] | None) -> None:
        """Answer a request for the page, or a form of it. One at a time."""
        with self._turn:
            try:
                if form is None:
                    request.send_page(self.render)
                    return
                ended = self.post(what, form)
                if not ended:
                    request.send_back()
                    return
                request.send_page(lambda nonce: self.render(nonce, ended=True))
            except EmbassayError as error:
                self._failure = error
                request.refuse(HTTPStatus.INTERNAL_SERVER_ERROR, str(error))
        self._over.set()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, page: LabelPage) -> None:
        super().__init__((ADDRESS, 0), _Request)
        self.page = page

    def handle_error(self, *_: Any) -> None:
        """Nothing: a browser that has gone is no failure."""


class _Request(BaseHTTPRequestHandler):
    timeout = SECONDS
    server: _Server

    def do_GET(self) -> None:
        if self._asked() == "":
            self.server.page.answer(self, "", None)
        else:
            self.refuse(HTTPStatus.NOT_FOUND)

    def do_POST(self) -> None:
        what, form = self._asked(), self._form()
        if form is None:
            self.refuse(HTTPStatus.BAD_REQUEST)
        elif what in ("key", "question") and self._is_from_here():
            self.server.page.answer(self, what, form)
        else:
            self.refuse(HTTPStatus.NOT_FOUND)

    def _asked(self) -> str | None:
        return self.server.page.is_ours(self.headers.get("Host", ""), self.path)

    def _is_from_here(self) -> bool:
        """Browsers say which page a form is on; another one may not press keys here."""
        origin = self.headers.get("Origin")
        return origin is None or origin == f"http://{self.headers.get('Host')}"

    def _form(self) -> dict[str, str] | None:
        try:
            length = int(self.headers.get("Content-Length", ""))
            if not 0 <= length <= MOST_BYTES:
                return None
            text = self.rfile.read(length).decode("utf-8", "replace")
            return {name: values[0] for name, values in parse_qs(text, max_num_fields=10).items()}
        except ValueError:
            return None

    def send_page(self, render: Callable[[str], str]) -> None:
        """The page that `render` makes with a number that only its own code and style know."""
        nonce = secrets.token_urlsafe(16)
        self._send(HTTPStatus.OK, render(nonce), _headers(nonce))

    def send_back(self) -> None:
        """Have the browser ask for the page."""
        self._send(HTTPStatus.SEE_OTHER, "", {"Location": "./"})

    def refuse(self, status: HTTPStatus, why: str = "") -> None:
        """Answer in a word."""
        plain = {"Content-Type": "text/plain; charset=utf-8", "X-Content-Type-Options": "nosniff"}
        self._send(status, f"{why or status.phrase}\n", plain)

    def _send(self, status: HTTPStatus, text: str, headers: Mapping[str, str]) -> None:
        body = text.encode("utf-8", "replace")
        self.send_response(status)
        for name, value in {**headers, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def version_string(self) -> str:
        """No versions: nobody has to know them."""
        return "embassay"

    def log_message(self, *_: Any) -> None:
        """Nothing: the address would be in it."""


def _headers(nonce: str) -> dict[str, str]:
    policy = (
        f"default-src 'none'; style-src 'nonce-{nonce}'; script-src 'nonce-{nonce}'; img-src data:; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    )
    return {
        "Content-Type": "text/html; charset=utf-8",
        "Content-Security-Policy": policy,
        "Cache-Control": "no-store",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
    }


def _at(shown: Shown | None) -> str:
    """What is shown, as a form names it; empty where nothing is left."""
    said = f"{shown.pool.id}\0{shown.document.id}" if shown else ""
    return blake2b(said.encode("utf-8", "replace"), digest_size=8).hexdigest() if said else ""


@cache
def _template() -> Template:
    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, trim_blocks=True, undefined=StrictUndefined)
    return environment.from_string((files("embassay.evaluate.judge.label") / "page.html").read_text("utf-8"))

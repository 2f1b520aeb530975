"""Every page of the dashboard by axe-core, in light and dark, on a phone and on a screen: nothing that is serious."""

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe

from embassay.monitor.monitor import Monitor
from embassay.server.dashboard.page import BELOW
from embassay.server.dashboard.shell import pages
from tests.server.conftest import DOCUMENTS
from tests.server.dashboard.conftest import HOSTILE, dashboard

AXE = {"resultTypes": ["violations"]}
SERIOUS = ("serious", "critical")
SHOWN = {"search": "?q=otters&set=animals", "sets/{name}/document": "?id=otters", "quality": "?set=animals"}
"""What the addresses of pages say behind their paths, where they show more then."""
LOOKS = [(width, scheme) for width in (400, 1280) for scheme in ("light", "dark")]


@pytest.fixture(scope="module")
def board(tmp_path_factory):
    """A dashboard on which every page has something to show: hits, an alert that is on, one that is over, a move."""
    with pytest.MonkeyPatch.context() as patch:
        with dashboard(tmp_path_factory.mktemp("seen"), patch) as found:
            home = found.home
            home.set("animals").upsert([*DOCUMENTS, *({"id": f"bird{n}", "text": f"bird {n}"} for n in range(60))])
            home.set("other").upsert(DOCUMENTS)
            for text in (DOCUMENTS[1]["text"], HOSTILE, "tax returns"):
                home.set("animals").search(text)
            for name in ("animals", "other"):
                for number in range(40):
                    home.set(name).search(f"question {number}", where='path ~ "none/*"')
                Monitor(home, name).check()
            gone = home.monitoring.alerts("other")[0]
            Monitor(home, "other").dismiss(gone.id, "a quiz")
            home.set("other").migrate("large")
            found.job = _job(found)
            yield found


def _job(board):
    jobs = httpx.get(f"{board.url}/dashboard/jobs", headers={"accept": "text/html"}).text
    found = jobs.partition(f'href="{BELOW}jobs/')[2].partition('"')[0]
    assert found, "the page of jobs leads to that of the move"
    return found


def addresses(board):
    """The address of each page; one whose path has names in braces that are not known here has to be told of."""
    names = {"name": "animals", "id": board.job}
    for found in pages().values():
        page = found.page
        yield page.route.format(**names) + SHOWN.get(page.path, "")
    yield f"{BELOW}login"
    yield f"{BELOW}none"


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_nothing_serious_is_found_on_any_page(browser, board, width, scheme):
    context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
    page, axe, bad, seen = context.new_page(), Axe(), [], 0
    for address in addresses(board):
        page.goto(board.url + address)
        # what is folded is read as well
        page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
        found = axe.run(page, options=AXE).response
        seen += 1
        bad += [
            f"{address}: {one['id']} ({one['impact']}): {one['nodes'][0]['html'][:200]}"
            for one in found["violations"]
            if one["impact"] in SERIOUS
        ]
    context.close()
    assert seen > 15 and not bad, "\n".join(bad)

"""A guide, a page on jobs and a module of Python, from which queries are made."""

from embassay.types import Document

PROSE = (
    "The scheduler wakes up every minute and looks for work that is due. "
    "Jobs that failed are tried again after a pause which doubles each time. "
    "A job that failed five times is moved to the dead letter queue for inspection. "
    "Operators may put it back from there with a single command once the cause is known. "
)


GUIDE = (
    f"# Guide\n\nRead [how retries are paced](jobs.md#retry-policy) first.\n\n## Install the worker\n\n{PROSE}\n\n"
    f"## Overview\n\n{PROSE.replace('scheduler', 'planner')}\n"
)


JOBS = (
    f"# Background jobs\n\nAn introduction of jobs that says little and goes on for some words, so that it is long.\n\n"
    f"## Retry policy\n\n{PROSE.replace('job', 'task')}\n\n## Overview\n\nSee [Guide](guide.md) and [this](https://example.org).\n"
)


CODE = '''def rotate(key, days):
    """Replace a key before it expires. Old keys stay valid."""
    fresh = make(key)
    keep(key, days)
    announce(fresh)
    return fresh


def short():
    """Too short to be looked for."""
    return 1
'''


def documents():
    return [
        Document("guide.md", "guide.md", GUIDE, "markdown"),
        Document("jobs.md", "jobs.md", JOBS, "markdown"),
        Document("keys.py", "keys.py", CODE, "code:python"),
    ]

"""What a log shows of a long stage, where there is no terminal."""

from iwr import progress


def shown(capsys, notes: list[str]) -> list[str]:
    with progress.show("work", len(notes)) as step:
        for note in notes:
            step(note)
    return [line.rsplit(",", 1)[0] for line in capsys.readouterr().err.splitlines()]


def test_every_task_has_a_line(capsys):
    assert shown(capsys, ["a ok", "b failed", "c ok"]) == [
        "work 1/3: a ok",
        "work 2/3: b failed",
        "work 3/3: c ok",
    ]


def test_items_that_say_nothing_new_share_lines(capsys):
    assert shown(capsys, ["ssim"] * 300 + ["ocr"] * 300) == [
        "work 1/600: ssim",
        "work 301/600: ocr",
        "work 600/600: ocr",
    ]

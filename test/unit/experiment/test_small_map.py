"""The small map of a terminal: where results are large, in which direction, and what it cannot show."""

from recorded import CATEGORICAL, NOISE, as_read, frozen, genetic, make_record, sampled

from comparator.experiment.small_map import BLOCKS, PLAIN, SmallMap


def lines(records: list, *, blocks: bool = True, **changes) -> list[str]:
    return [line.plain for line in SmallMap(frozen(**changes), blocks=blocks).lines(as_read(records))]


def planted(points: list[dict]) -> list[dict]:
    """Records whose difference is large above a noise of 25, whatever the other values."""
    return [
        make_record(number, point, ({"val_loss": 1.0}, {"val_loss": 0.4 if point["noise"] > 25 else 0.9}))
        for number, point in enumerate(points)
    ]


def test_a_large_difference_is_dark_where_it_is() -> None:
    points = [{"noise": 5.0 * column + 1, "layer_force": 25 + 19 * row} for column in range(10) for row in range(10)]
    *rows, legend = lines(planted(points))
    assert len(rows) == 5
    for row in rows:
        cells = row[15:]
        assert cells == BLOCKS[0] * 15 + BLOCKS[-1] * 15
    assert "10.0 % to " in legend and "60.0 %; noise 0 to 50 across" in legend and "layer_force upwards" in legend


def test_ascii_has_signs_of_its_own() -> None:
    shown = lines(genetic(), blocks=False)
    assert all(line.isascii() for line in shown)
    assert any(sign in line for line in shown[:-1] for sign in PLAIN)


def test_numbers_grow_upwards_and_the_map_fits_sixty_columns() -> None:
    shown = lines(genetic())
    assert shown[0].split()[0] in ("50", "200") and shown[-2].split()[0] in ("0", "25")
    assert all(len(line) <= 60 for line in shown[:-1])


def test_one_hyperparameter_is_one_row() -> None:
    points = [{"noise": 5.0 * place + 1} for place in range(10)]
    assert len(lines(planted(points), space=[NOISE])) == 2


def test_lists_of_values_have_their_names() -> None:
    space = [CATEGORICAL, NOISE]
    assert any("tanh" in line for line in lines(sampled(space), space=space))


def test_too_few_results_have_no_map() -> None:
    assert lines(genetic()[:3]) == []
    assert lines([]) == []


def test_what_it_shows_stays_while_results_come_in() -> None:
    space = [{"name": name, "type": "float", "lower": 0, "upper": 50} for name in ("noise", "other", "third")]
    points = [
        {"noise": float(7 * place % 50), "other": float(11 * place % 50), "third": float(13 * place % 50)}
        for place in range(40)
    ]
    records = as_read(
        [
            make_record(number, point, ({"val_loss": 1.0}, {"val_loss": 0.5 + point[shown] / 200}))
            for number, point in enumerate(points)
            for shown in [("third", "noise")[number > 12]]
        ]
    )
    growing = SmallMap(frozen(space=space), blocks=True)
    legends = {growing.lines(records[:until])[-1].plain.partition("; ")[2] for until in range(6, 40)}
    assert len(legends) == 1

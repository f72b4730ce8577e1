import json

from benchmarks import ratios


def test_a_ratio_fails_below_two_thirds_of_the_recorded_one():
    recorded = {"measure": {"peer": "peer", "ratio": 9.0}, "predict": {"peer": "peer", "ratio": 3.0}}
    found = {"measure": {"ratio": 5.9}, "predict": {"ratio": 2.1}}
    assert ratios.fallen(found, recorded) == ["measure: 5.9 times peer, recorded 9"]
    assert ratios.fallen(recorded, recorded) == []


def test_the_page_has_the_recorded_ratios(tmp_path, monkeypatch):
    recorded = json.loads(ratios.RECORD.read_text(encoding="utf-8"))
    assert len(recorded) == 8
    page = tmp_path / "page.md"
    page.write_text(ratios.PAGE.read_text(encoding="utf-8"), encoding="utf-8")
    monkeypatch.setattr(ratios, "RECORD", tmp_path / "ratios.json")
    monkeypatch.setattr(ratios, "PAGE", page)
    before = page.read_text(encoding="utf-8")
    ratios.write_table(recorded)
    assert page.read_text(encoding="utf-8") == before
    assert json.loads(ratios.RECORD.read_text(encoding="utf-8")) == recorded

"""The tag table: its rows, what it decides, and how much of real extracts it knows."""

import pickle
import re
from importlib.resources import files
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from annotation.errors import AnnotationError
from annotation.tagging.coverage import COVERED_KEYS
from annotation.tagging.nouns import pluralise
from annotation.tagging.rows import KINDS, SEEN_FROM
from annotation.tags import KEY_ORDER, TagTable

HEADER = "key,value,kind,noun,plural,seen_from,look\n"
TABLE = TagTable.load()
THINGS = [row for row in TABLE.rows.values() if row.kind != "attribute"]
SAME_IN_PLURAL = ("grounds", "works", "aircraft", "barracks", "remains", "saltworks", "waterworks")


def tags_of(text: str) -> dict[str, str]:
    return dict(tag.split("=") for tag in text.split())


class TestRows:
    def test_sorted_and_unique(self) -> None:
        lines = (files("annotation") / "tags.csv").read_text(encoding="utf-8").splitlines()[1:]
        keys = [tuple(line.split(",")[:2]) for line in lines]
        assert keys == sorted(set(keys))

    def test_wide_enough(self) -> None:
        assert len(THINGS) >= 900
        assert {row.key for row in THINGS} >= set(COVERED_KEYS)
        assert {(key, "*") for key in COVERED_KEYS} <= set(TABLE.rows)
        assert TABLE.physical_keys == {row.key for row in THINGS} == set(KEY_ORDER)

    @pytest.mark.parametrize("column", ["noun", "plural", "look"])
    def test_plain_words(self, column: str) -> None:
        texts = [getattr(row, column) for row in TABLE.rows.values()]
        pattern = re.compile(r"[A-Za-z0-9é ,.'{}-]*")
        assert [text for text in texts if not pattern.fullmatch(text)] == []

    def test_no_raw_tag_as_noun(self) -> None:
        assert [row for row in THINGS if "=" in row.noun or ":" in row.noun] == []

    def test_plural_differs(self) -> None:
        same = [row.noun for row in THINGS if row.noun == row.plural]
        assert [noun for noun in same if not noun.endswith(SAME_IN_PLURAL)] == []

    def test_seen_from_and_kind(self) -> None:
        assert {row.seen_from for row in TABLE.rows.values()} == {None, *SEEN_FROM}
        assert {row.kind for row in TABLE.rows.values()} == set(KINDS)

    def test_what_is_seen_has_a_look_and_nothing_else(self) -> None:
        assert [row for row in THINGS if bool(row.look) != (row.seen_from is not None)] == []
        attributes = [row for row in TABLE.rows.values() if row.kind == "attribute" and row.seen_from is not None]
        assert [row for row in attributes if not row.look] == []

    def test_looks_are_short_and_certain(self) -> None:
        hedges = {"probably", "likely", "possibly", "perhaps", "maybe", "may", "might", "could", "seems", "appears"}
        hedges |= {"often", "sometimes", "usually", "mostly", "typically"}
        looks = [row.look.split() for row in TABLE.rows.values() if row.look]
        assert [look for look in looks if hedges & set(look) or len(look) > 12] == []
        assert [row.look for row in THINGS if row.look and len(row.look.split()) < 3] == []

    @pytest.mark.parametrize(
        "tag", ["voltage=110", "operator=x", "maxspeed=50", "addr:street=x", "ref=A1", "source=x", "phone=1"]
    )
    def test_never_visible_attributes(self, tag: str) -> None:
        row = TABLE.row(*tag.split("="))
        assert row is not None
        assert row.kind == "attribute"
        assert row.seen_from is None


class TestLoad:
    def test_overlay_replaces_and_adds(self, tmp_path: Path) -> None:
        path = tmp_path / "mine.csv"
        path.write_text(
            HEADER
            + "building,igloo,area,igloo,igloos,0.6,small white dome on snow\n"
            + "building,house,area,home,homes,,\n",
            encoding="utf-8",
        )
        table = TagTable.load(path)
        assert table.noun({"building": "igloo"}, plural=True) == "igloos"
        assert table.hidden({"building": "house"}) == "not visible from above"
        assert len(table.rows) == len(TABLE.rows) + 1
        assert table.digest != TABLE.digest == TagTable.load().digest

    def test_overlay_with_a_new_key(self, tmp_path: Path) -> None:
        path = tmp_path / "mine.csv"
        path.write_text(HEADER + "crevice,*,line,crevice,crevices,1,dark line\n", encoding="utf-8")
        assert TagTable.load(path).main_tag({"crevice": "deep"}) == ("crevice", "deep")

    @pytest.mark.parametrize(
        ("line", "complaint"),
        [
            ("building,x,area,x,xs,3,look", "line 3, column seen_from: '3'"),
            ("building,x,blob,x,xs,2,look", "line 3, column kind: 'blob'"),
            ("building,x,area,,xs,2,look", "line 3, column noun"),
            ("building,x,area,x,,2,look", "line 3, column plural"),
            ("building,x,area,my_house,xs,2,look", "line 3, column noun: 'my_house'"),
            ("building,x,area,x,xs,2", "line 3, column look"),
            ("building,x,area,x,xs,2,a,b", "line 3, column look"),
            ("building,a,area,a,as,2,look", "line 3, column value: building=a"),
        ],
    )
    def test_wrong_cells_are_named(self, tmp_path: Path, line: str, complaint: str) -> None:
        path = tmp_path / "mine.csv"
        path.write_text(f"{HEADER}building,a,area,a,as,2,look\n{line}\n", encoding="utf-8")
        with pytest.raises(AnnotationError, match=re.escape(complaint)):
            TagTable.load(path)

    def test_wrong_header_and_missing_file(self, tmp_path: Path) -> None:
        path = tmp_path / "mine.csv"
        path.write_text("key;value\n", encoding="utf-8")
        with pytest.raises(AnnotationError, match="line 1"):
            TagTable.load(path)
        with pytest.raises(AnnotationError, match=r"none\.csv"):
            TagTable.load(tmp_path / "none.csv")

    def test_travels_to_other_processes(self) -> None:
        copy = pickle.loads(pickle.dumps(TABLE))
        assert (copy.digest, copy.main_tag({"building": "yes"})) == (TABLE.digest, ("building", "yes"))


@pytest.mark.parametrize(
    ("tags", "main"),
    [
        ("natural=water water=lake", "water=lake"),
        ("natural=water water=unheard_of", "natural=water"),
        ("natural=wetland wetland=bog", "wetland=bog"),
        ("leisure=pitch sport=tennis landuse=grass", "leisure=pitch"),
        ("amenity=school building=yes", "amenity=school"),
        ("building=church amenity=place_of_worship", "building=church"),
        ("building=yes amenity=bank", "building=yes"),
        ("building=retail shop=supermarket", "shop=supermarket"),
        ("highway=residential barrier=kerb surface=asphalt", "highway=residential"),
        ("highway=footway man_made=pier", "man_made=pier"),
        ("railway=abandoned highway=cycleway", "highway=cycleway"),
        ("highway=primary;secondary", "highway=primary"),
        ("highway=wobbly", "highway=wobbly"),
        ("building=no landuse=grass", "landuse=grass"),
        ("historic=yes building=house", "building=house"),
    ],
)
def test_main_tag(tags: str, main: str) -> None:
    assert "=".join(TABLE.main_tag(tags_of(tags)) or ()) == main
    backwards = dict(reversed(tags_of(tags).items()))
    assert "=".join(TABLE.main_tag(backwards) or ()) == main


@given(
    st.lists(
        st.sampled_from([(row.key, row.value) for row in THINGS]), min_size=1, max_size=5, unique_by=lambda tag: tag[0]
    )
)
def test_decisions_do_not_depend_on_the_order_of_tags(pairs: list[tuple[str, str]]) -> None:
    forth, back = dict(pairs), dict(reversed(pairs))
    for decide in (TABLE.main_tag, TABLE.noun, TABLE.hidden, TABLE.seen_from):
        assert decide(forth) == decide(back)
    assert "_" not in TABLE.noun(forth)


@pytest.mark.parametrize(
    ("tags", "area"),
    [
        ("highway=residential junction=roundabout", False),
        ("junction=roundabout", False),
        ("barrier=fence", False),
        ("barrier=fence leisure=pitch", True),
        ("natural=coastline", False),
        ("natural=tree_row", False),
        ("man_made=pipeline location=overground", False),
        ("waterway=stream", False),
        ("railway=rail", False),
        ("highway=pedestrian", False),
        ("highway=pedestrian area=yes", True),
        ("highway=service area=yes", True),
        ("building=yes", True),
        ("building=yes area=no", False),
        ("natural=water", True),
        ("waterway=riverbank", True),
        ("railway=platform", True),
        ("boundary=administrative", True),
        ("route=bus", False),
    ],
)
def test_closed_ways(tags: str, *, area: bool) -> None:
    assert TABLE.is_area(tags_of(tags), closed=True) is area
    assert not TABLE.is_area(tags_of(tags), closed=False)


def test_multipolygons_are_areas() -> None:
    assert TABLE.is_area({"type": "multipolygon", "highway": "pedestrian"}, closed=True)


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        ("highway=primary tunnel=yes", "tunnel"),
        ("highway=service tunnel=building_passage", "building passage"),
        ("waterway=stream tunnel=culvert", "culvert"),
        ("highway=primary tunnel=no", None),
        ("power=line location=underground", "underground"),
        ("man_made=pipeline", "underground"),
        ("man_made=pipeline location=overground", None),
        ("railway=subway layer=-2", "underground"),
        ("highway=primary layer=-1 bridge=yes", None),
        ("highway=primary layer=1", None),
        ("highway=primary layer=-1;1", None),
        ("amenity=parking parking=underground", "underground"),
        ("leisure=pitch level=-1", "underground"),
        ("highway=footway indoor=yes", "indoor"),
        ("highway=footway covered=yes", "covered"),
        ("building=roof covered=yes", None),
        ("highway=proposed proposed=primary", "proposed"),
        ("highway=proposed landuse=construction", "proposed"),
        ("railway=proposed", "proposed"),
        ("railway=abandoned", "abandoned"),
        ("railway=razed", "razed"),
        ("railway=dismantled", "razed"),
        ("railway=disused", "disused"),
        ("railway=rail disused=yes", "disused"),
        ("building=yes demolished=yes", "demolished"),
        ("abandoned:highway=primary", "abandoned"),
        ("demolished:building=yes name=x", "demolished"),
        ("abandoned:railway=rail highway=cycleway", None),
        ("highway=construction construction=primary", None),
        ("landuse=construction", None),
        ("boundary=administrative admin_level=8", "administrative boundary"),
        ("boundary=administrative place=village type=boundary", "administrative boundary"),
        ("boundary=postal_code", "postal boundary"),
        ("boundary=administrative waterway=river", None),
        ("type=route route=bus", "route"),
        ("type=route route=railway railway=rail", "route"),
        ("highway=bus_stop", "not visible from above"),
        ("amenity=atm", "not visible from above"),
        ("shop=bakery", "not visible from above"),
        ("shop=bakery building=yes", None),
        ("name=x source=y", "no physical tag"),
        ("building=yes", None),
    ],
)
def test_hidden(tags: str, reason: str | None) -> None:
    assert TABLE.hidden(tags_of(tags)) == reason


def test_hidden_by_the_way_it_is_drawn() -> None:
    assert TABLE.hidden({"building": "yes"}, "line") == "outline not closed"
    assert TABLE.hidden({"building": "yes"}, "area") is None
    assert TABLE.hidden({"place": "village"}, "point") == "label without an outline"
    assert TABLE.hidden({"place": "village"}, "area") is None


def test_seen_from() -> None:
    assert TABLE.seen_from({"landuse": "forest"}) == 30.0
    assert TABLE.seen_from({"building": "yes", "amenity": "bank"}) == 2.0
    assert TABLE.seen_from({"highway": "bus_stop"}) == 0.0
    assert TABLE.seen_from({"name": "x"}) == 0.0


@pytest.mark.parametrize(
    ("tags", "noun", "plural"),
    [
        ("highway=residential", "residential street", "residential streets"),
        ("leisure=pitch sport=tennis", "tennis court", "tennis courts"),
        ("leisure=pitch sport=soccer;basketball", "football pitch", "football pitches"),
        ("leisure=pitch sport=quidditch", "sports pitch", "sports pitches"),
        ("natural=wood leaf_type=broadleaved", "broadleaved wood", "broadleaved woods"),
        ("landuse=farmland crop=rice", "rice paddy", "rice paddies"),
        ("landuse=orchard trees=apple_trees", "apple orchard", "apple orchards"),
        ("amenity=place_of_worship religion=christian", "church", "churches"),
        ("amenity=place_of_worship religion=muslim building=yes", "mosque", "mosques"),
        ("power=generator generator:source=wind", "wind turbine", "wind turbines"),
        ("power=plant plant:source=coal", "coal-fired power plant", "coal-fired power plants"),
        ("man_made=tower tower:type=communication", "communication tower", "communication towers"),
        ("natural=water water=lake", "lake", "lakes"),
        ("amenity=school", "school grounds", "school grounds"),
        ("amenity=school building=yes", "school building", "school buildings"),
        ("building=yes shop=convenience", "convenience store", "convenience stores"),
        ("building=yes amenity=nightclub", "nightclub building", "nightclub buildings"),
        ("building=yes tourism=information", "building", "buildings"),
        ("building=yes", "building", "buildings"),
        ("building=chateau_fort", "building", "buildings"),
        ("highway=service service=driveway", "driveway", "driveways"),
        ("highway=pedestrian area=yes", "pedestrian square", "pedestrian squares"),
        ("amenity=parking parking=multi-storey", "parking garage", "parking garages"),
        ("name=x", "feature", "features"),
    ],
)
def test_nouns(tags: str, noun: str, plural: str) -> None:
    assert TABLE.noun(tags_of(tags)) == noun
    assert TABLE.noun(tags_of(tags), plural=True) == plural


def test_pluralise() -> None:
    words = ["bay", "church", "factory", "box", "grass", "pitch", "road"]
    assert [pluralise(word) for word in words] == [
        "bays", "churches", "factories", "boxes", "grasses", "pitches", "roads",
    ]  # fmt: skip


class TestAttributes:
    ROAD = tags_of("highway=primary lanes=2 bridge=yes surface=asphalt maxspeed=50 operator=x voltage=9 oneway=yes")

    def test_fixed_order_and_only_what_is_seen(self) -> None:
        expected = ["asphalt surface", "two lanes", "carried on a bridge"]
        assert TABLE.attributes(self.ROAD, 0.6) == expected
        assert TABLE.attributes(dict(reversed(self.ROAD.items())), 0.6) == expected

    @pytest.mark.parametrize(
        ("tags", "noun", "plural"),
        [
            ("landuse=meadow meadow=agricultural crop=hay", "hay meadow", "hay meadows"),
            ("natural=wetland wetland=marsh", "marsh", "marshes"),
            ("landuse=residential residential=rural", "rural residential area", "rural residential areas"),
            ("landuse=industrial industrial=refinery", "refinery", "refineries"),
            ("landuse=reservoir reservoir_type=sewage", "sewage pond", "sewage ponds"),
            ("landuse=vineyard crop=grape", "vineyard", "vineyards"),
            ("highway=crossing crossing=zebra", "zebra crossing", "zebra crossings"),
            ("railway=rail tracks=2", "double-track railway line", "double-track railway lines"),
            ("natural=tree leaf_type=broadleaved leaf_cycle=deciduous", "broadleaved tree", "broadleaved trees"),
        ],
    )
    def test_another_word_for_the_same_thing_is_its_noun(self, tags: str, noun: str, plural: str) -> None:
        own = tags_of(tags)
        assert TABLE.noun(own) == noun
        assert TABLE.noun(own, plural=True) == plural
        assert TABLE.attributes(own, 0.2) == []

    def test_coarse_pictures_show_less(self) -> None:
        assert TABLE.attributes(self.ROAD, 1.0) == ["asphalt surface", "carried on a bridge"]
        assert TABLE.attributes(self.ROAD, 10.0) == []

    def test_what_the_noun_says_is_not_said_again(self) -> None:
        assert TABLE.attributes(tags_of("leisure=pitch sport=tennis surface=clay"), 0.6) == ["clay surface"]
        assert TABLE.attributes(tags_of("natural=wood leaf_type=mixed"), 0.6) == []

    @pytest.mark.parametrize(
        ("tags", "phrases"),
        [
            ("building=yes building:levels=3", ["three storeys"]),
            ("building=yes building:levels=25", ["25 storeys"]),
            ("building=yes building:levels=1", ["one storey"]),
            ("building=yes building:levels=2.5", []),
            ("building=yes building:levels=0", []),
            ("building=yes roof:colour=#ff0000", []),
            ("building=yes roof:shape=gabled roof:colour=red", ["gabled roof", "red roof"]),
            ("highway=track surface=Asphalt!", []),
        ],
    )
    def test_free_values(self, tags: str, phrases: list[str]) -> None:
        assert TABLE.attributes(tags_of(tags), 0.2) == phrases


def test_name() -> None:
    assert TABLE.name({"name": " Rhein "}) == "Rhein"
    assert TABLE.name({"name": ""}) is None
    assert TABLE.name({"ref": "A1"}) is None

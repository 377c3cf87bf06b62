"""The commands that look at things, and what the documentation says of them."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from download.sample import SampleCounty
from pipeline.config import load_config
from tests.conftest import CommandLine, WriteConfig
from tests.run_folder import run_info, samples

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def test_demo_does_the_main_job(tmp_path: Path, mapteller: CommandLine) -> None:
    said = mapteller("demo", "--out", tmp_path / "demo").stdout
    run = tmp_path / "demo" / "run-7"
    info, found = run_info(run), samples(run)
    assert info["state"] == "complete"
    assert info["counts"]["laid"] == 50
    assert len(found) >= 40
    for place in ("shards", "run.json", "report/index.html"):
        assert (run / place).exists()
        assert str(run / place) in said
    card = (run / "README.md").read_text()
    for said in ("Policy `salience`", "areas from 0.05", "lines from 0.3", "| seed | 7 |", "Patches{0000..0002}.tar"):
        assert said in card, said
    page = (run / "report" / "index.html").read_text()
    for sample in found:
        assert (run / "report" / "pictures" / f"{sample['metadata']['patch_id']}.jpg").exists()
    index = re.search(r'id="index">(.*?)</script>', page, re.DOTALL)
    assert index is not None
    assert sorted(json.loads(index[1])["ids"]) == sorted(sample["metadata"]["patch_id"] for sample in found)
    again = mapteller("demo", "--out", tmp_path / "demo").stdout
    assert "Making a county" not in again
    assert run_info(run)["units"]["computed"] == 0


def test_demo_tells_nothing_that_cannot_be_seen(tmp_path: Path, county: SampleCounty, mapteller: CommandLine) -> None:
    import osmium

    mapteller("demo", "--out", tmp_path / "demo")
    hidden = set()
    for element in osmium.FileProcessor(str(county.extract)):
        tags = dict(element.tags)
        name = f"{type(element).__name__.lower()}/{element.id}"
        if tags.get("tunnel", "no") != "no" or tags.get("highway") == "proposed" or tags.get("railway") == "abandoned":
            hidden.add(name)
        if tags.get("location") == "underground" or tags.get("boundary") == "administrative":
            hidden.add(name)
    assert len(hidden) >= 5
    told = {element["id"] for sample in samples(tmp_path / "demo" / "run-7") for element in sample["elements"]}
    assert not told & hidden


def test_preview_shows_facts_prompt_and_caption(write_config: WriteConfig, mapteller: CommandLine) -> None:
    said = mapteller("preview", write_config(), "-n", 5).stdout
    assert said.count("patch ") >= 5
    assert said.count("facts: ") >= 5
    assert len(re.findall(r"^prompt \w+@[0-9a-f]{8}", said, re.MULTILINE)) == 5
    assert len(re.findall(r"^(area|non_area|scene) \(grammar\): .+\.$", said, re.MULTILINE)) == 5
    assert len(re.findall(r"^revision \(grammar\): .+\.$", said, re.MULTILINE)) == 5


@pytest.fixture(scope="module")
def tokenizer_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small BPE tokenizer trained on the templates, with a chat template."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    texts = [file.read_text() for file in sorted((ROOT / "prompts").rglob("*.*")) if file.suffix in (".j2", ".yaml")]
    tokenizer.train_from_iterator(texts, trainers.BpeTrainer(vocab_size=4000, show_progress=False))
    folder = tmp_path_factory.mktemp("tokenizer")
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer)  # type: ignore[no-untyped-call]
    fast.chat_template = "{% for m in messages %}<{{ m.role }}>{{ m.content }}\n{% endfor %}"
    fast.save_pretrained(str(folder))
    return folder


def test_preview_counts_tokens(write_config: WriteConfig, tokenizer_folder: Path, mapteller: CommandLine) -> None:
    said = mapteller("preview", write_config(), "-n", 2, "--tokenizer", tokenizer_folder).stdout
    counts = re.findall(r"(\d+) tokens, of which (\d+) are the template's fixed prefix", said)
    assert len(counts) == 2
    for whole, prefix in counts:
        assert 100 < int(prefix) <= 900
        assert 30 < int(whole) - int(prefix) < 250
    nothing = mapteller("preview", write_config(), "--tokenizer", ROOT / "configs", code=1)
    assert "holds no tokenizer" in nothing.stderr


def test_validate_looks_without_running(write_config: WriteConfig, tmp_path: Path, mapteller: CommandLine) -> None:
    said = mapteller("validate", write_config()).stdout
    assert "2 scenes, 2 units, 200 patches" in said
    assert "No raster at" in mapteller("validate", write_config(imagery=tmp_path / "no.tif"), code=1).stderr


def test_init_writes_a_configuration_that_is_understood(tmp_path: Path, mapteller: CommandLine) -> None:
    mapteller("init", tmp_path / "mine.yaml")
    assert load_config(tmp_path / "mine.yaml").output.kind == "webdataset"
    assert "is there already" in mapteller("init", tmp_path / "mine.yaml", code=1).stderr


def test_bench_ends_with_one_line_of_json(county: SampleCounty, mapteller: CommandLine) -> None:
    said = mapteller("bench", "elements", county.extract, "--json").stdout
    figures = json.loads(said.strip().splitlines()[-1])
    assert figures["ratio"] > 0
    assert figures["peak_mb"] > 0


def test_help_answers_without_heavy_imports() -> None:
    loaded = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "pipeline", "--help"], capture_output=True, text=True, check=True
    ).stderr
    for heavy in ("ray", "numpy", "osmium", "rasterio", "pyarrow", "geopandas", "shapely"):
        assert not re.search(rf"\|\s+{heavy}$", loaded, re.MULTILINE), heavy


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda file: file.name)
def test_commands_in_the_documentation_exist(document: Path, mapteller: CommandLine) -> None:
    text = document.read_text()
    commands = {
        match.group(1)
        for block in re.findall(r"```sh\n(.*?)```", text, re.DOTALL)
        for match in re.finditer(r"^mapteller ((?:bench )?\w+)", block, re.MULTILINE)
    }
    for command in commands:
        mapteller(*command.split(), "--help")
    targets = set(re.findall(r"^make (\w+)", text, re.MULTILINE))
    makefile = (ROOT / "Makefile").read_text()
    for target in targets:
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
    for file in re.findall(r"`((?:pipeline|annotation|download|configs|prompts|docs)/[\w/.]+)`", text):
        if "NAME" not in file:
            assert (ROOT / file).exists(), file


def test_shipped_configurations_explain_every_option() -> None:
    """Each line of a shipped configuration that sets a value has a comment, or stands under one that has."""
    for file in sorted((ROOT / "configs").glob("*.yaml")):
        assert yaml.safe_load(file.read_text())
        assert file.read_text().count("#") >= 12, file.name

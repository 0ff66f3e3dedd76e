"""Training an encoder for real, a tiny one on rows of our own: seconds."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path

import msgspec
import numpy as np
import pytest
import typer
from typer.testing import CliRunner

from models import recipe, registry
from models.corpus import part, read_corpus, training_sets
from models.errors import ModelUnfit
from models.evaluate import evaluate, write_card
from models.promote import promote
from nlp.encoder import load_encoder, read_encoder_metadata
from nlp.loading import load
from nlp.session import MODEL_FILE, Encoder
from tests.models import tiny_base, tiny_packed, tiny_sets
from tests.models.public import public_sets

pytest.importorskip("torch", reason="training encoders needs the extra train-encoders")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::UserWarning")

import onnx  # noqa: E402
from onnx import numpy_helper  # noqa: E402

from models import carrier, encoders  # noqa: E402
from models.average import average  # noqa: E402
from models.export import main as export_command  # noqa: E402
from models.fit import padded  # noqa: E402
from models.graph import export  # noqa: E402
from models.items import batches  # noqa: E402
from models.languages import read_tongues, sentiment_figures  # noqa: E402
from models.net import load_net  # noqa: E402
from models.plan import Options  # noqa: E402
from models.train import main as train_command  # noqa: E402


@pytest.fixture(scope="module")
def sets_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_sets.write(tmp_path_factory.mktemp("sets"), rows=150)


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory, sets_folder: Path) -> Path:
    corpus = read_corpus(sets_folder)
    texts = [row.text for row in (*corpus.complaints, *corpus.semeval, *corpus.airline)]
    return tiny_base.write(tmp_path_factory.mktemp("base"), texts)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory, sets_folder: Path, base: Path) -> Path:
    out = tmp_path_factory.mktemp("encoder")
    encoders.train_on_labels(sets_folder, str(base), out, Options(rate=3e-3))
    return out


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory, sets_folder: Path, checkpoint: Path) -> Path:
    out = tmp_path_factory.mktemp("exported") / "m"
    command = ["--checkpoint", str(checkpoint), "--out", str(out), "--data", str(sets_folder)]
    from models.export import main as export_command

    code, output = run(export_command, *command)
    assert code == 0, output
    return out


def run(command: object, *arguments: str) -> tuple[int, str]:
    app = typer.Typer()
    app.command()(command)  # type: ignore[arg-type]
    result = CliRunner().invoke(app, list(arguments))
    return result.exit_code, result.output


def test_the_loss_falls_and_is_written_down(checkpoint: Path) -> None:
    lines = (checkpoint / "curve.jsonl").read_text("utf-8").splitlines()
    curve = [json.loads(line) for line in lines]
    assert curve[-1]["step"] == curve[-1]["of"]
    assert json.loads((checkpoint / "recipe.json").read_text("utf-8"))["recipe"] == "labels"


def test_the_same_seed_gives_the_same_weights(
    tmp_path: Path, sets_folder: Path, base: Path, checkpoint: Path
) -> None:
    encoders.train_on_labels(sets_folder, str(base), tmp_path, Options(rate=3e-3))
    assert (tmp_path / "model.safetensors").read_bytes() == (
        checkpoint / "model.safetensors"
    ).read_bytes()


def test_the_exported_file_says_what_the_net_says(checkpoint: Path, tmp_path: Path) -> None:
    texts = ["my parcel never came again", "love this place today", "rain in the north"]
    export(checkpoint, tmp_path, [], None)
    net, tokenizer = load_net(str(checkpoint))
    found = Encoder(tmp_path, threads=1).scores(texts)
    tokenizer.no_padding()
    for text, scores in zip(texts, found, strict=True):
        ids, mask = padded([tokenizer.encode(text.split(), is_pretokenized=True).ids], 0)
        expected = net.eval()(ids, mask)[0].detach().numpy()[0]
        np.testing.assert_allclose(scores, expected, atol=0.25)


def test_no_weight_has_more_than_seven_bits(checkpoint: Path, tmp_path: Path) -> None:
    export(checkpoint, tmp_path, [], None)
    shipped = (registry.folder(name) for name in ("outcry-en", "outcry-many"))
    for folder in (tmp_path, *shipped):
        model = onnx.load(str(folder / MODEL_FILE))
        weights = [numpy_helper.to_array(one) for one in model.graph.initializer]
        multiplied = [one for one in weights if one.dtype == np.int8]
        assert multiplied
        assert all(one.min() >= -64 and one.max() <= 64 for one in multiplied), folder


def test_a_pruned_vocabulary_spells_what_it_lost_by_shorter_pieces(
    checkpoint: Path, tmp_path: Path
) -> None:
    kept = ["my parcel never came again"]
    export(checkpoint, tmp_path, kept, 2 * 68 + 5 + 5)  # characters, special ones, five words
    encoder = Encoder(tmp_path, threads=1)
    known, lost = encoder.pieces(["parcel", "colour"])
    assert len(known.ids) == 3
    assert len(lost.ids) > 3
    assert np.isfinite(encoder.scores(["colour"])).all()


def test_a_vocabulary_of_several_languages_is_cut_in_the_same_way(tmp_path: Path) -> None:
    words = ["paket", "kommt", "nicht", "paquete", "nunca", "parcel", "rare"]
    tiny_packed.write(tmp_path / "m.bin", words)
    packed = carrier.unpack(tmp_path / "m.bin")
    carrier.write(packed, tmp_path / "base")
    texts = ["paket kommt nicht", "paquete nunca", "parcel"] * 20
    export(tmp_path / "base", tmp_path / "cut", texts, len(packed.pieces) - 1)
    encoder = Encoder(tmp_path / "cut", threads=1)
    common, rare = encoder.pieces(["paket nicht", "rare"])
    assert len(common.ids) == len(["<s>", "paket", "nicht", "</s>"])
    assert len(rare.ids) > len(["<s>", "rare", "</s>"])
    assert np.isfinite(encoder.scores(["paket nicht", "rare"])).all()


def test_a_student_learns_from_its_teacher(
    tmp_path: Path, sets_folder: Path, base: Path, checkpoint: Path
) -> None:
    export(checkpoint, tmp_path / "teacher", [], None)
    made = encoders.train_student(
        sets_folder, str(base), [tmp_path / "teacher"], tmp_path / "student", Options(rate=3e-3)
    )
    assert made.recipe == "student"
    rows = read_corpus(sets_folder).complaints
    scores = encoders.taught_by(rows, [tmp_path / "teacher"])
    assert scores is not None
    assert scores.shape[0] == len(rows)
    assert encoders.taught_by(rows, []) is None


def test_a_packed_base_learns_several_languages_and_is_judged_by_each(
    tmp_path: Path, sets_folder: Path, checkpoint: Path
) -> None:
    folder = shutil.copytree(sets_folder, tmp_path / "sets")
    tiny_sets.write_tongues(folder)
    tongues = read_tongues(folder)
    texts = [row.text for row in (*tongues.train, *tongues.english)]
    words = sorted({word for text in texts for word in text.lower().split()})
    tiny_packed.write(tmp_path / "m.bin", words)
    carrier.write(carrier.pruned(carrier.unpack(tmp_path / "m.bin"), texts, 900), tmp_path / "base")
    export(checkpoint, tmp_path / "teacher", [], None)
    made = encoders.train_multilingual(
        folder,
        str(tmp_path / "base"),
        [tmp_path / "teacher"],
        tmp_path / "net",
        Options(rate=1e-3, passes=2),
    )
    assert made.recipe == "multilingual"
    out = tmp_path / "outcry-many"
    given = ["--checkpoint", str(tmp_path / "net"), "--out", str(out), "--data", str(folder)]
    app = typer.Typer()
    app.command()(export_command)
    done = CliRunner().invoke(app, [*given, "--name", "outcry-many"])
    assert done.exit_code == 0, done.output
    reader = load(out)
    assert reader.languages == {"de", "en", "es"}
    together = reader.read(texts[:40])
    assert together[3] == reader.read([texts[3]])[0]
    assert all(one.sentiment for one in together)
    write_card(out, evaluate(folder, out))
    assert promote(out, tmp_path / "shipped").name == "outcry-many"
    figures = sentiment_figures(Encoder(out, threads=1), tongues.test)
    assert set(figures) == {"de", "en", "es", "mean", "rows"}
    assert all(0 <= figures[language] <= 1 for language in ("de", "en", "es"))
    lines = (tmp_path / "net" / "curve.jsonl").read_text("utf-8").splitlines()
    losses = [json.loads(line)["loss"] for line in lines]
    assert losses[-1] < losses[0]


def test_texts_of_one_length_are_run_together_to_the_same_bytes(shipped: Path) -> None:
    texts = ["my parcel never came again", "rain in the north today", "still no", "love this place"]
    encoder = Encoder(shipped, threads=1, batch=16)
    together = encoder.scores(texts * 3)
    alone = [Encoder(shipped, threads=1, batch=16).scores([text])[0] for text in texts]
    assert [row.tobytes() for row in together] == [row.tobytes() for row in alone] * 3
    assert load_encoder(shipped).metadata.batch > 1


def test_what_is_shipped_reads_is_judged_and_goes_no_further_unjudged(
    tmp_path: Path, sets_folder: Path, shipped: Path
) -> None:
    reader = load_encoder(shipped)
    bad, good = reader.read(["@shop my parcel never came again", "@shop love this place today"])
    assert (bad.complaint_probability or 0) > (good.complaint_probability or 1)
    with pytest.raises(ModelUnfit, match="not judged"):
        promote(shipped, tmp_path)
    figures = fake_figures(sets_folder, shipped)
    write_card(shipped, figures)
    target = promote(shipped, tmp_path)
    assert load_encoder(target).metadata == reader.metadata
    worse = tmp_path / "worse"
    shutil.copytree(shipped, worse)
    figures["complaint"]["macro_f1"] -= 0.2
    write_card(worse, figures)
    with pytest.raises(ModelUnfit, match="macro_f1 fell"):
        promote(worse, tmp_path)
    assert promote(worse, tmp_path, allow_worse=True) == target


def fake_figures(sets_folder: Path, folder: Path) -> dict[str, dict[str, float]]:
    """Measured on the tiny sets, but for the speed, which would take too long."""
    from models.judge_encoder import judge_encoder

    return {
        "model": "outcry-en/1",  # type: ignore[dict-item]
        "files": dict(read_encoder_metadata(folder).files),  # type: ignore[dict-item]
        "megabytes": 1.0,  # type: ignore[dict-item]
        **judge_encoder(sets_folder, folder),
        "behaviour": {},
        "speed": {"assess_texts_per_second": 1},
    }


def test_every_item_is_seen_once_a_pass_and_in_the_same_order_for_a_seed() -> None:
    lengths = [at % 17 for at in range(500)]
    seen = list(batches(lengths, 32, 1))
    assert sorted(at for batch in seen for at in batch) == list(range(500))
    assert seen == list(batches(lengths, 32, 1)) != list(batches(lengths, 32, 2))


def test_an_encoder_is_not_trained_without_a_base(tmp_path: Path, sets_folder: Path) -> None:
    arguments = ["--data", str(sets_folder), "--out", str(tmp_path / "o"), "--recipe", "labels"]
    code, output = run(train_command, *arguments)
    assert code == 2
    assert "--base" in output


def test_no_held_out_row_nor_its_near_copy_is_learnt_from(labelled_data: Path) -> None:
    sets = public_sets(labelled_data)
    corpus = part(sets)
    learnt = {row.text for row in encoders.labelled_rows(corpus)}
    learnt |= {row.text for row in encoders.student_rows(corpus)}
    held = [*corpus.complaints_test, *corpus.airline_test, *corpus.semeval_test]
    assert learnt.isdisjoint(row.text for row in held)
    linear = training_sets(sets)
    own: Sequence[list[recipe.Row]] = (linear.complaints, linear.airline, linear.semeval)
    for rows in (*own, linear.threads):
        assert {row.text for row in rows}.isdisjoint(row.text for row in held)
    known = set(corpus.complaints_test_groups)
    assert known.isdisjoint(linear.complaint_groups)
    assert len(corpus.complaints_test) > 500
    assert msgspec.json.encode(corpus) == msgspec.json.encode(part(sets))


def test_the_mean_of_two_nets_is_one_of_the_same_size(
    tmp_path: Path, sets_folder: Path, base: Path, checkpoint: Path
) -> None:
    other, mean = tmp_path / "other", tmp_path / "mean"
    encoders.train_on_labels(sets_folder, str(base), other, Options(rate=3e-3, seed=2))
    made = average([checkpoint, other], mean)
    assert made.rows["nets"] == 2
    heads = [load_net(str(folder))[0].heads.weight for folder in (checkpoint, other, mean)]
    assert not heads[0].equal(heads[1])
    assert np.allclose(((heads[0] + heads[1]) / 2).detach(), heads[2].detach(), atol=1e-7)
    assert export(mean, tmp_path / "exported", [], None) > 0


def test_nets_of_other_bases_are_not_averaged(tmp_path: Path, checkpoint: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(checkpoint, other)
    made = json.loads((other / "recipe.json").read_bytes())
    (other / "recipe.json").write_text(json.dumps({**made, "base": "another"}), "utf-8")
    with pytest.raises(ModelUnfit, match="different bases"):
        average([checkpoint, other], tmp_path / "mean")
    with pytest.raises(ModelUnfit, match="two nets"):
        average([checkpoint], tmp_path / "mean")

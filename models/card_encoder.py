"""The card of an encoder: what it is for, what it was judged by, and where it fails."""

from __future__ import annotations

from typing import Any

from models.behaviour import table
from nlp.encoder import EncoderMetadata

_APACHE = ("all-MiniLM-L6-v2", "all-mpnet-base-v2")


def card(figures: dict[str, Any], metadata: EncoderMetadata) -> str:
    """The card as Markdown, with the figures of ``models.evaluate``."""
    complaint, sentiment = figures["complaint"], figures["sentiment"]
    severity, reason = figures["severity"], figures["reason"]
    evidence, speed = figures["evidence"], figures["speed"]
    low, high = complaint["macro_f1_interval"]
    reached = ", ".join(
        f"{float(wanted):.0%} from {chance:.2f}"
        for wanted, chance in complaint["thresholds"].items()
    )
    return f"""# {figures["model"]}

A small transformer encoder with heads for sentiment, complaint, severity and the reasons of
airline passengers, blended with a linear model over hashed words; {figures["megabytes"]} MB in
all, seven-bit weights. Reading needs `onnxruntime` and `tokenizers`.

## For what
To rank public posts in English by how likely they complain, for people who then read them; and
to say sentiment and severity beside it. Not for deciding about a person, and not for other
languages: a text in one gets no reading at all.

## Data and procedure
Base weights: {metadata.base}. {_fitted(metadata.training)}
of the complaint set of Preotiuc-Pietro et al. (ACL 2019)
with the severity labels of X-CI (ACL 2023), of Twitter US Airline Sentiment and of SemEval 2013
to 2016; one fifth of each, with all near-copies, was held out. The linear model beside it is
fitted to the rows that were not held out, and reads every text first: what it is sure is no
complaint (below {metadata.blend.settled:.2f}) goes no further.
Blend, calibration and threshold come from the held-out rows. `metadata.json` holds the hashes of
the sets.

## Figures
Of held-out rows, that nothing was fitted to but the blend's few numbers. For complaints each row
is judged by a blend and a threshold of the other folds; the two numbers of the sentiment's blend
were fitted where they are judged, and the strength of the reasons' head was picked from two there
(`python -m models.evaluate --model {metadata.name} --data
"$OUTCRY_LABELLED_DATA" --write`). One seed. Speed is of a shared machine.

| what | data | figure |
| --- | --- | --- |
| complaint, macro-F1 | `complaints.csv`, {complaint["rows"]:,} rows | \
{complaint["macro_f1"]:.3f} (95 % interval {low:.3f} to {high:.3f}) |
| the same, brand-addressed only | the same | {complaint["macro_f1_brand_addressed"]:.3f} |
| the same, encoder alone; linear model alone | the same | \
{complaint["macro_f1_encoder_alone"]:.3f}; {complaint["macro_f1_linear_alone"]:.3f} |
| complaint, precision and recall at the threshold | the same | \
{complaint["precision"]:.3f}, {complaint["recall"]:.3f} |
| complaint, precision of the first 100 | the same | {complaint["precision_at_100"]:.2f} |
| complaint, probability that reaches a precision | the same | {reached} |
| complaint, calibration error (10 bins) | the same; brand-addressed only | \
{complaint["calibration_error"]:.3f}; {complaint["calibration_error_brand_addressed"]:.3f} |
| the same, as if 5 % complained | the same, weighted | \
{complaint["calibration_error_at_5_percent"]:.3f} |
| texts that the linear model settles, as if 5 % complained | the same, weighted | \
{complaint["settled_at_5_percent"]:.1%} |
| sentiment, macro-recall | `sentiment.csv`, {sentiment["semeval_2013_2016_held_out_rows"]:,} rows \
| {sentiment["semeval_2013_2016_held_out_macro_recall"]:.3f} |
| sentiment, macro-recall | `airline.csv`, {sentiment["airline_held_out_rows"]:,} rows | \
{sentiment["airline_held_out_macro_recall"]:.3f} |
| sentiment, macro-recall | `complaints.csv`, {sentiment["complaints_csv_rows"]:,} rows | \
{sentiment["complaints_csv_held_out_macro_recall"]:.3f} |
| severity of complaints, macro-F1 of 4 levels | `complaints.csv`, {severity["rows"]:,} rows | \
{severity["macro_f1"]:.3f} (drawn by share {severity["macro_f1_drawn_by_share"]:.3f}) |
| airline reasons, macro-F1 of 10; of 9 without "Can't Tell" | `airline.csv`, \
{reason["rows"]:,} rows | {reason["macro_f1"]:.3f}; {reason["macro_f1_without_cannot_tell"]:.3f} |
| evidence, token F1 against the annotated cause | `complaints.csv`, {evidence["rows"]:,} rows | \
{evidence["token_f1"]:.3f} (as many random words {evidence["token_f1_random_words"]:.3f}) |
| texts a second, one core, whole assessment | | {speed["assess_texts_per_second"]:,} |

## Behaviour
Cases that we wrote, in the manner of CheckList (`python -m models.behaviour MODEL`):

{table(figures["behaviour"])}

## Limits
* English tweets of 2009 to 2017 about consumer brands. Longer texts and other trades are outside
  what was measured; a text is read up to its first {metadata.longest} word pieces, the linear
  model up to 20,000 characters.
* Sarcasm and polite complaints are often missed. Severity is weak: read it as a hint.
* The share of complaints in a stream is far below that of the training set; tell the share, set
  the threshold on your own stream, or rank.
* The annotated causes hold nearly every word of a text, so that they tell little of the evidence:
  all words reach {evidence["token_f1_all_words"]:.3f}. It is hardly better than chance by them.

## Licence
Apache-2.0, as the rest of Outcry; {_licence(metadata.base)}. The weights were made
from the sets named above, whose own terms bind whoever uses those sets.
"""


def _licence(base: str) -> str:
    if base in _APACHE:
        return f"the base weights, {base}, are under Apache-2.0"
    return f"the base weights, {base}, have a licence of their own"


def _fitted(rows: dict[str, int]) -> str:
    items = f"{rows['items']:,} items ({rows['texts']:,} texts)"
    if "nets" not in rows:
        return f"Fitted to {items}"
    return (
        f"The mean of the weights of {rows['nets']} nets with\n"
        f"other labels or seeds (Wortsman et al., 2022), each fitted to up to {items}"
    )

"""The card of a baseline: what it is for, what it was judged by, and where it fails."""

from __future__ import annotations

from typing import Any

from models.behaviour import table
from nlp.artefact import Metadata


def card(figures: dict[str, Any], metadata: Metadata) -> str:
    """The card as Markdown, with the figures of ``models.evaluate``."""
    complaint, sentiment = figures["complaint"], figures["sentiment"]
    severity, language, speed = figures["severity"], figures["language"], figures["speed"]
    rows = ", ".join(
        f"`{name}` {count:,}" for name, count in sorted(metadata.training_rows.items())
    )
    others = [
        f"{name.split('_')[1]} {share:.1%}"
        for name, share in language.items()
        if name.startswith("multilingual_")
    ]
    return f"""# {figures["model"]}

Linear heads over hashed words, pairs of words and pieces of words; {figures["megabytes"]} MB,
numpy alone at run time.

## For what
To rank public posts in English by how likely they complain, for people who then read them; and
to say sentiment and severity beside it. Not for deciding about a person, and not for other
languages: a text in one gets no reading at all.

## Data
{rows} rows. SemEval 2013 to 2016 and Twitter US Airline Sentiment teach sentiment; the
complaint set of Preotiuc-Pietro et al. (ACL 2019) with the severity labels of X-CI (ACL 2023)
teaches complaint and severity; support threads teach only how frequent words are. Rows of the
other sets that nearly copy a row of the complaint set are left out. `metadata.json` holds the
hashes of the files.

## Figures
All from rows, and near-copies of rows, that the judged heads did not see
(`python -m models.evaluate --data "$OUTCRY_LABELLED_DATA" --write`). The shipped heads are
fitted again to all rows; calibration and threshold come from folds. The recipe's settings were
chosen on folds of the same sets, which flatters the figures a little; speed is of a shared machine.

| what | data | figure |
| --- | --- | --- |
| complaint, macro-F1 | `complaints.csv`, 5 folds, {complaint["rows"]:,} rows | \
{complaint["macro_f1"]:.3f} |
| the same, brand-addressed only | the same | {complaint["macro_f1_brand_addressed"]:.3f} |
| the same, in a domain never seen | one domain left out at a time | \
{complaint["macro_f1_unseen_domain_brand_addressed"]:.3f} |
| complaint, precision and recall at the threshold | 5 folds | \
{complaint["precision"]:.3f}, {complaint["recall"]:.3f} |
| complaint, precision of the first 100 and 500 | 5 folds | \
{complaint["precision_at_100"]:.2f}, {complaint["precision_at_500"]:.2f} |
| complaint, calibration error (10 bins) | 5 folds; brand-addressed only | \
{complaint["calibration_error"]:.3f}; {complaint["calibration_error_brand_addressed"]:.3f} |
| sentiment, macro-recall | `sentiment.csv`, a fifth held out | \
{sentiment["semeval_2013_2016_held_out_macro_recall"]:.3f} |
| sentiment, macro-recall | `airline.csv`, a fifth held out | \
{sentiment["airline_held_out_macro_recall"]:.3f} |
| sentiment, macro-recall | `complaints.csv`, whose labels taught it nothing | \
{sentiment["complaints_csv_unseen_domain_macro_recall"]:.3f} |
| severity of complaints, macro-F1 of 4 levels | `complaints.csv`, 5 folds | \
{severity["macro_f1"]:.3f} (always the commonest {severity["macro_f1_always_the_commonest"]:.3f}, \
drawn by share {severity["macro_f1_drawn_by_share"]:.3f}) |
| English called another language, or `und` | `complaints.csv` | \
{language["complaints_english_called_another"]:.1%}, \
{language["complaints_english_called_und"]:.1%} |
| language right | `multilingual.csv` | {", ".join(others)} |
| texts a second, one core | the whole assessment | {speed["assess_texts_per_second"]:,} |

The Hindi of `multilingual.csv` is written in Latin letters, which the language model does not
know. A list of words tells it where it is plain; the rest comes out as English or `und`.

## Behaviour
Cases that we wrote, in the manner of CheckList (`python -m models.behaviour MODEL`):

{table(figures["behaviour"])}

## Limits
* English tweets of 2009 to 2017 about consumer brands. Longer texts and other trades are outside
  what was measured.
* Sarcasm and polite complaints are often missed.
* The share of complaints in a stream is far below that of the training set; set the threshold on
  your own stream, or rank.
* Severity is weak: read it as a hint.
* The names of accounts are cut into pieces and counted, so that a support account is known by
  its name; a brand that the data complain about a lot starts with a small handicap.
* Texts are read up to their first 20,000 characters.

## Licence
Apache-2.0, as the rest of Outcry. The weights were made from the sets named above, whose own
terms bind whoever uses those sets. The weights hold numbers by hashed bucket: no text, no words
and no account names of the data.
"""

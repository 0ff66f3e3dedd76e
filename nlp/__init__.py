"""Understanding: texts in, assessments out. Knows nothing of networks or tickets."""

"""The browser that pages are tested in."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser


@pytest.mark.browser
def test_a_page_is_really_run(browser: Browser) -> None:
    page = browser.new_page()
    page.set_content("<p id=sum></p><script>sum.textContent = 2 + 3</script>")
    assert page.locator("#sum").inner_text() == "5"
    page.close()

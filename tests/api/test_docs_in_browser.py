"""
The page as a browser shows it. In a file of its own: while a browser is open no event loop may be run in this thread.
"""

import pytest
from playwright.sync_api import Page

from tests.services.server import LiveServer


@pytest.mark.browser
@pytest.mark.parametrize("width", [1440, 390, 320])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_fits_and_asks_nobody(
    live_server: LiveServer, page: Page, width: int, scheme: str
) -> None:
    """One request, no complaint of the policy, no scrolling sideways, text that can be read on its ground."""
    asked: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.on("console", lambda message: complaints.append(message.text))
    page.set_viewport_size({"width": width, "height": 900})
    page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")

    page.goto(f"{live_server.url}/docs")
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")

    assert [url for url in asked if not url.startswith("data:")] == [f"{live_server.url}/docs"]
    assert complaints == []
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.evaluate(CONTRASTS) == []


# Every pair of text and ground on the page with less contrast than WCAG 2.2 asks for (AA, 4.5 to 1).
CONTRASTS = """
() => {
  const channels = text => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map(v => v / 255)
    .map(v => v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4)
    .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = element => {
    for (let each = element; each; each = each.parentElement) {
      const colour = channels(getComputedStyle(each).backgroundColor);
      if (colour.length < 4 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const found = new Set();
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim());
    if (!own || getComputedStyle(element).opacity === '0') continue;
    const [a, b] = [light(channels(getComputedStyle(element).color)), light(ground(element))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5) found.add(`${element.tagName}.${element.className} ${ratio.toFixed(2)}`);
  }
  return [...found];
}
"""


@pytest.mark.browser
def test_contents_lead_to_their_places(live_server: LiveServer, page: Page) -> None:
    """On a wide screen beside the text, on a narrow one folded above it."""
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(f"{live_server.url}/docs")
    page.get_by_role("link", name="Delete a customization").click()
    wide = page.locator("#deleteCustomization").bounding_box()

    page.set_viewport_size({"width": 390, "height": 900})
    page.goto(f"{live_server.url}/docs#")
    page.get_by_text("Contents", exact=True).click()
    page.get_by_role("link", name="Recommend", exact=False).filter(visible=True).first.click()

    assert wide is not None
    assert 0 <= wide["y"] < 100
    assert page.url.endswith(("#recommend", "#recommendations"))

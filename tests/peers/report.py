"""Opens a report in Chromium as its reader does, and holds its numbers against NumPy's.

Arguments: the page, beside its model as `m.json`, and with `inference.json` beside it where it has intervals; a Parquet file of `logodds predict --keep TARGET` on the same rows; the target; the class whose
probabilities the slider moves; a folder for screenshots, which are left there to be looked at.
"""

import json
import re
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as parquet
from playwright.sync_api import sync_playwright

page_path, predictions, target, shown, shots = sys.argv[1:6]
model = json.loads(Path(page_path).with_name("m.json").read_text())
of_inference = Path(page_path).with_name("inference.json")
inferred = json.loads(of_inference.read_text())["inference"] if of_inference.exists() else None
table = parquet.read_table(predictions)
truth = np.array([str(value) for value in table[target].to_pylist()])


def probabilities(name):
    column = "probability" if "probability" in table.column_names else f"probability_{name}"
    return table[column].to_numpy()


def number(text):
    return float(text.replace(",", "").replace("\u2212", "-").rstrip("%"))


def close(actual, expected, what, tolerance):
    assert abs(actual - expected) <= tolerance, f"{what}: the page says {actual}, NumPy {expected}"


def check_numbers(page, name):
    """What stands on the page at its threshold, against the definitions."""
    text = lambda selector: page.locator(selector).inner_text()
    threshold = float(text("#at"))
    positive, p = truth == name, probabilities(name)
    said = p >= threshold
    tp, fp = int((said & positive).sum()), int((said & ~positive).sum())
    fn, tn = int((~said & positive).sum()), int((~said & ~positive).sum())
    found = [int(number(text(f"#{cell}"))) for cell in ("tp", "fp", "fn", "tn")]
    assert found == [tp, fp, fn, tn], f"at {threshold}: the page says {found}, NumPy {[tp, fp, fn, tn]}"
    ratio = lambda part, whole: part / whole if whole else 0.0
    # Four decimals are shown.
    for cell, value in {
        "precision": ratio(tp, tp + fp),
        "recall": ratio(tp, tp + fn),
        "f1": ratio(2 * tp, 2 * tp + fp + fn),
        "accuracy": (tp + tn) / len(p),
        "specificity": ratio(tn, tn + fp),
    }.items():
        close(number(text(f"#{cell}")), value, f"{cell} at {threshold}", 5.1e-5)
    costs = [float(page.locator(f"#cost-{side}").input_value()) for side in ("fp", "fn")]
    close(number(text("#cost")), fp * costs[0] + fn * costs[1], "cost", 0.0051)
    # The points on both curves, by where the charts say that they lie: a tenth of a pixel.
    for chart, x, y in [
        ("roc", ratio(fp, fp + tn), ratio(tp, tp + fn)),
        ("pr", ratio(tp, tp + fn), tp / (tp + fp) if tp + fp else 1.0),
    ]:
        frame = page.locator(f"#{chart} .frame")
        left, right, top, bottom = (float(frame.get_attribute(f"data-{side}")) for side in ("left", "right", "top", "bottom"))
        mark = page.locator(f"#{chart} .mark")
        close(float(mark.get_attribute("cx")), left + x * (right - left), f"{chart} across", 0.051)
        close(float(mark.get_attribute("cy")), bottom - y * (bottom - top), f"{chart} down", 0.051)
    return threshold


def letters(name, n):
    """A name as the page shortens it."""
    return name if len(name) <= n else name[: n - 1] + "…"


def near(place, places):
    """Whether a place is one of some, to the tenth of a pixel that charts are written to."""
    return np.min(np.max(np.abs(np.asarray(places) - place), axis=1)) < 0.11


def check_drawn(page, name, others):
    """What is drawn and said of a class of several, against the definitions; `others` must not be named."""
    positive, p = truth == name, probabilities(name)
    frame = lambda chart: {
        side: float(page.locator(f"#{chart} .frame").get_attribute(f"data-{side}")) for side in ("left", "right", "top", "bottom")
    }
    place = lambda f, x, y: np.column_stack(
        [f["left"] + np.asarray(x) * (f["right"] - f["left"]), f["bottom"] - np.asarray(y) * (f["bottom"] - f["top"])]
    )
    points = lambda selector: [
        [float(x) for x in point.split(",")] for point in page.locator(selector).get_attribute("points").split()
    ]
    content = lambda selector: page.locator(selector).text_content()

    # Whatever names the class names this one, and nothing another.
    for chosen in page.locator(".yes").all():
        assert chosen.text_content() == letters(name, 28), chosen.text_content()
    for chart in ("roc", "pr", "histogram", "calibration"):
        assert content(f"#{chart} title").endswith(" of " + letters(name, 40)), content(f"#{chart} title")
    assert content("#histogram .upper") == letters(name, 28), content("#histogram .upper")
    assert page.locator("select.class").evaluate_all("(all) => all.map((s) => s.selectedOptions[0].text)") == [name] * 2
    said = page.evaluate(
        "[...document.querySelectorAll('#threshold, #coefficients')].map((s) => { const copy = s.cloneNode(true); "
        "copy.querySelectorAll('select, #forest, [hidden]').forEach((e) => e.remove()); return copy.textContent; }).join(' ')"
    )
    for other in others:
        assert other not in said, f"{other} is still named"

    # Both curves go through points that thresholds reach.
    thresholds = np.concatenate([np.unique(p), [np.inf]])
    order = np.sort(p[positive]), np.sort(p[~positive])
    tp, fp = (len(side) - np.searchsorted(side, thresholds) for side in order)
    precision = np.divide(tp, tp + fp, out=np.ones(len(tp)), where=tp + fp > 0)
    reached = place(frame("roc"), fp / len(order[1]), tp / len(order[0]))
    assert all(near(point, reached) for point in points("#roc .curve polyline")), "the ROC curve is another class's"
    reached = place(frame("pr"), tp / len(order[0]), precision)
    steps = points("#pr .curve polyline")
    assert all(near(point, reached) for point in steps[::2]), "the curve of precision and recall is another class's"
    assert all(a[0] == b[0] and b[1] == c[1] for a, b, c in zip(steps[::2], steps[1::2], steps[2::2])), "no steps"
    chance = place(frame("pr"), [0, 1], [positive.mean()] * 2)
    assert all(near(point, chance) for point in points("#pr .chance polyline"))
    lower = np.searchsorted(order[1], order[0]) + np.searchsorted(order[1], order[0], side="right")
    close(number(content("#auc")), lower.mean() / 2 / len(order[1]), "AUC", 5.1e-5)

    # Bars, by their height.
    f, end = frame("histogram"), number(page.locator("#histogram text.tick.end").first.text_content()) / 100
    zero = (f["top"] + f["bottom"]) / 2
    for bars, side in [(".positives", p[positive]), (".negatives", p[~positive])]:
        wanted = np.histogram(side, bins=25, range=(0, 1))[0] / len(side)
        found = re.findall(r"M[-0-9.]+ [-0-9.]+V([-0-9.]+)", page.locator(f"#histogram {bars}").get_attribute("d"))
        heights = np.abs(np.array([float(at) for at in found]) - zero)
        expected = np.maximum(wanted[wanted > 0] / end * (f["bottom"] - f["top"]) / 2, 1)
        assert len(heights) == len(expected) and np.allclose(heights, expected, atol=0.11), f"{bars}: {heights}, {expected}"

    # Bins of calibration.
    bins = np.minimum((p * 10).astype(int), 9)
    filled = [k for k in range(10) if (bins == k).any()]
    dots = place(frame("calibration"), [p[bins == k].mean() for k in filled], [positive[bins == k].mean() for k in filled])
    found = page.locator("#calibration .bins circle").evaluate_all(
        "(all) => all.map((dot) => [Number(dot.getAttribute('cx')), Number(dot.getAttribute('cy'))])"
    )
    assert np.allclose(found, dots, atol=0.11), f"{found}, {dots}"
    for k, row in enumerate(page.locator("#bins tbody tr").all()):
        cells = [cell.text_content() for cell in row.locator("td").all()]
        assert number(cells[0]) == (bins == k).sum(), f"bin {k}: {cells}"
        for cell, side in [(cells[3], positive), (cells[4], ~positive)]:
            close(number(cell), 100 * (side & (bins == k)).sum() / side.sum(), f"bin {k}", 5.1e-3)

    # Coefficients, and with inference their intervals, as the files have them.
    fitted = next(fitted for fitted in model["models"] if fitted["class"] == name)
    assert number(content("#nonzero")) == fitted["nonzero"]
    if inferred is None:
        close(number(content("#intercept")), fitted["intercept"], "intercept", 1e-3 * abs(fitted["intercept"]) + 1e-9)
        rows = {feature: (value, None, None) for feature, value in zip(model["features"], fitted["coefficients"])}
    else:
        of = next(of for of in inferred["models"] if of["class"] == name)
        rows = {c["feature"]: (c["estimate"], c["low"], c["high"]) for c in of["coefficients"] if c["feature"]}
        shown_facts = page.locator(".inference:not([hidden])")
        assert shown_facts.count() == 1 and shown_facts.locator("h3").text_content() == name
        facts = dict(zip(shown_facts.locator("dt").all_text_contents(), shown_facts.locator("dd").all_text_contents()))
        close(number(facts["AIC"]), of["aic"], "AIC", 1e-3 * of["aic"])
    scales = {column["name"]: column.get("scale") or 1.0 for column in model["columns"]}
    for row in page.locator("#forest tbody tr").all():
        feature, cells = row.locator("th").text_content(), row.locator("td").all_text_contents()
        if feature not in rows:
            continue
        (estimate, low, high), scale = rows[feature], scales.get(feature, 1.0)
        close(number(cells[-1]), estimate, f"{feature} of {name}", 1e-3 * abs(estimate))
        if low is not None:
            ends = [np.exp(end * scale) for end in (low, high)]
            for said, end in zip(cells[2].split(" to "), ends):
                if said not in ("∞", "0"):
                    close(number(said), end, f"interval of {feature} of {name}", 2e-3 * end)


# What the script draws of a class must be what stands there before it draws anything.
DRAWN = """() => [
  ...["#roc .curve polyline", "#pr .curve polyline", "#pr .chance polyline", "#calibration .curve polyline"]
    .map((s) => document.querySelector(s).getAttribute("points")),
  ...["#histogram .positives", "#histogram .negatives"].map((s) => document.querySelector(s).getAttribute("d")),
  ...[...document.querySelectorAll("#calibration .bins circle")]
    .map((c) => ["cx", "cy", "r"].map((key) => Number(c.getAttribute(key)).toFixed(1)).join(" ")),
  ...["#roc title", "#pr title", "#calibration title", "#histogram", "#stops", "#bins", "#forest", "#found", "#nonzero",
      "#intercept", "#auc", "#ap", "#ece", ".decide"]
    .map((s) => document.querySelector(s).textContent.replace(/\\s+/g, "")),
  ...[...document.querySelectorAll("#forest .bar")].map((bar) => ["--from", "--to", "--at"]
    .map((key) => parseFloat(bar.style.getPropertyValue(key)).toFixed(1)).join(" ")),
]"""


def same(was, now):
    """The same text; places may differ by the tenth of a pixel that ties are rounded to."""
    parts = [re.split(r"[ ,MVHZ]", text) if re.fullmatch(r"[-0-9., MVHZ]*", text) else [text] for text in (was, now)]
    if len(parts[0]) != len(parts[1]):
        return False
    return all(a == b or (a and b and abs(float(a) - float(b)) < 0.11) for a, b in zip(*parts))


def go_to(page, stop):
    page.locator("#slider").evaluate(
        "(slider, stop) => { slider.value = stop; slider.dispatchEvent(new Event('input', {bubbles: true})); }", stop
    )


def watched(context, complaints):
    page = context.new_page()
    page.on("console", lambda message: complaints.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: complaints.append(f"error: {error}"))
    page.on("dialog", lambda dialog: (complaints.append(f"dialog: {dialog.message}"), dialog.dismiss()))

    def request(route):
        if route.request.url == url:
            route.continue_()
        else:
            complaints.append(f"request: {route.request.url}")
            route.abort()

    page.route("**/*", request)
    page.goto(url)
    return page


url = Path(page_path).resolve().as_uri()
folder = Path(shots)
folder.mkdir(parents=True, exist_ok=True)
complaints = []
with sync_playwright() as playwright:
    browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])

    # Numbers, at the model's threshold, along the slider, by keys, by buttons and for other costs.
    context = browser.new_context(viewport={"width": 1280, "height": 900}, reduced_motion="reduce")
    page = watched(context, complaints)
    several = page.locator("#class").count() == 1
    if several:
        written = page.evaluate(DRAWN)
        page.locator("#class").dispatch_event("change")
        for was, now in zip(written, page.evaluate(DRAWN), strict=True):
            assert same(was, now), f"drawn anew it is another one:\n{was}\n{now}"
        first_named = page.locator("#class option").first.text_content()
        page.locator("#class").select_option(label=shown)
        assert shown != first_named, "the first class was there before"
        check_drawn(page, shown, [first_named] if len(first_named) > 4 else [])
        page.locator("#coefficients-class").select_option(label=first_named)
        check_drawn(page, first_named, [shown] if len(shown) > 4 and shown not in first_named else [])
        page.locator("#class").select_option(label=shown)

        # The matrix as a table, by the keyboard.
        page.locator("#cells summary").focus()
        page.keyboard.press("Enter")
        page.locator("#cells tbody tr").first.wait_for()
        said = page.locator("#cells tbody tr").evaluate_all("(all) => all.map((r) => [...r.cells].map((c) => c.textContent))")
        names = dict(zip((letters(name, 80) for name in model["classes"]), model["classes"]))
        predicted = np.array([str(value) for value in table["prediction"].to_pylist()])
        assert sum(number(row[2]) for row in said) == len(truth), "every row is in a cell"
        for actual, to, rows_there, _ in said:
            wanted = ((truth == names[actual]) & (predicted == names[to])).sum()
            assert number(rows_there) == wanted, f"{actual} as {to}: {rows_there}, not {wanted}"
    slider = page.locator("#slider")
    start = check_numbers(page, shown)
    last = int(slider.get_attribute("max"))
    seen = set()
    for stop in sorted({0, 1, last // 4, last // 3, last // 2, 2 * last // 3, 3 * last // 4, last - 1, last}):
        go_to(page, stop)
        seen.add(check_numbers(page, shown))
    assert len(seen) >= 5, f"the slider hardly moves: {seen}"
    slider.focus()
    go_to(page, last // 2)
    before = check_numbers(page, shown)
    page.keyboard.press("ArrowRight")
    after = check_numbers(page, shown)
    assert after > before, f"the right arrow went from {before} to {after}"
    page.keyboard.press("ArrowLeft")
    assert check_numbers(page, shown) == before, "the left arrow goes back"
    said = slider.get_attribute("aria-valuetext")
    assert said.startswith(str(before)) and "precision" in said, said
    page.locator("#cost-fp").fill("1")
    page.locator("#cost-fn").fill("25")
    check_numbers(page, shown)
    cost = lambda: number(page.locator("#cost").inner_text())
    page.locator("[data-preset=cost]").click()
    check_numbers(page, shown)
    cheapest = cost()
    for stop in range(0, last + 1, max(last // 60, 1)):
        go_to(page, stop)
        assert cost() >= cheapest, f"stop {stop} costs {cost()}, less than {cheapest}"
    for preset in ("f1", "youden"):
        page.locator(f"[data-preset={preset}]").click()
        check_numbers(page, shown)
    positive, p = truth == shown, probabilities(shown)
    page.locator("[data-preset=f1]").click()
    order = np.sort(np.unique(p))
    f1 = max(2 * (positive & (p >= t)).sum() / ((p >= t).sum() + positive.sum()) for t in order)
    close(number(page.locator("#f1").inner_text()), f1, "the best F1 of all thresholds", 5.1e-5)
    page.locator("[data-preset=own]").click()
    assert check_numbers(page, shown) == start

    # The list of features.
    rows = page.locator("#forest tbody tr")
    first = rows.first.locator("th").inner_text()
    page.locator("#find").fill(first)
    assert first in rows.first.inner_text(), f"{first} is not found"
    carried = page.evaluate("JSON.parse(document.getElementById('payload').textContent).coefficients[0].f.length")
    found = page.locator("#found").inner_text()
    is_all = carried == number(page.locator("#nonzero").inner_text())
    assert is_all == ("carried here" not in found) and (is_all or f"of the {carried:,} carried here" in found), found
    page.locator("#find").fill("no feature has this name")
    assert rows.count() == 0 and "0 of 0" in page.locator("#found").inner_text()
    page.locator("#find").fill("")
    assert 0 < rows.count() <= 20

    # For those who do not see: names, headings in order, a language.
    assert page.locator("html").get_attribute("lang") == "en"
    levels = page.evaluate("[...document.querySelectorAll('h1,h2,h3')].map((h) => Number(h.tagName[1]))")
    assert levels[0] == 1 and levels.count(1) == 1, levels
    assert all(b - a <= 1 for a, b in zip(levels, levels[1:])), levels
    for chart in page.locator("svg.plot").all():
        assert chart.get_attribute("role") == "img"
        named = chart.get_attribute("aria-labelledby").split()
        assert len(named) == 2 and all(chart.locator(f"[id='{name}']").text_content() for name in named), named
    ids = page.evaluate("[...document.querySelectorAll('[id]')].map((e) => e.id)")
    assert len(ids) == len(set(ids)), "an id comes twice"
    unnamed = page.evaluate(
        "[...document.querySelectorAll('input,select,button')].filter((e) => !(e.labels && e.labels.length) "
        "&& !e.textContent.trim() && !e.ariaLabel).length"
    )
    assert unnamed == 0, f"{unnamed} controls without a name"
    context.close()

    # Light and dark by the system, by the button, on a desk, in a hand, on paper.
    background = "getComputedStyle(document.body).backgroundColor"
    for name, width, height in [("desktop", 1280, 900), ("phone", 390, 844)]:
        for scheme in ("light", "dark"):
            context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme)
            page = watched(context, complaints)
            wide = page.evaluate("document.documentElement.scrollWidth")
            assert wide <= width, f"{name}: the page is {wide} pixels wide in a window of {width}"
            was = page.evaluate(background)
            assert (was == "rgb(255, 255, 255)") == (scheme == "light"), f"{scheme}: {was}"
            page.screenshot(path=folder / f"{name}-{scheme}.png", full_page=True)
            page.locator("#theme").click()
            assert page.evaluate(background) != was, "the button changes the colours"
            if name == "desktop":
                page.emulate_media(media="print", color_scheme=scheme)
                assert page.evaluate(background) == "rgb(255, 255, 255)", "paper is white"
                assert not page.locator("#slider").is_visible() and page.locator("#tp").is_visible()
                page.pdf(path=folder / f"{scheme}.pdf", format="A4")
            context.close()

    # Without scripts the numbers of the start still stand there.
    context = browser.new_context(java_script_enabled=False, viewport={"width": 390, "height": 844})
    page = context.new_page()
    page.goto(url)
    first_class = page.locator("#threshold .yes").first.inner_text()
    if not several:
        check_numbers(page, first_class)
    context.close()
    browser.close()

assert not complaints, complaints
print("ok")

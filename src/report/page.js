"use strict";
(() => {
  const data = JSON.parse(document.getElementById("payload").textContent);
  const $ = (id) => document.getElementById(id);
  const say = (id, text) => { const at = $(id); if (at) at.textContent = text; };
  const whole = new Intl.NumberFormat("en-US", { maximumFractionDigits: 2 });
  const count = (n) => whole.format(n);
  const ratio = (part, of) => (of > 0 ? part / of : 0);
  const digits = (x, n) => {
    if (!Number.isFinite(x)) return x > 0 ? "∞" : "–";
    const size = Math.abs(x);
    const text = x !== 0 && (size < 1e-4 || size >= 1e7) ?
      Number(x.toExponential(n - 2)).toExponential().replace("e+", "e") : String(Number(x.toPrecision(n)));
    return text.replaceAll("-", "\u2212");
  };
  const oddsRatio = (x) => {
    const off = Math.abs(x - 1);
    return off < 1e-9 || off >= 0.01 ? digits(x, 4) : x.toFixed(2 - Math.floor(Math.log10(off)));
  };
  const four = (x) => x.toFixed(4);
  const element = (name, attributes, text) => {
    const made = document.createElement(name);
    for (const key in attributes) made.setAttribute(key, attributes[key]);
    if (text !== undefined) made.textContent = text;
    return made;
  };
  const fill = (table, rows) => {
    table.tBodies[0].replaceChildren(...rows.map((row) => {
      const line = element("tr");
      row.forEach((cell, i) => line.append(element(i ? "td" : "th", i ? {} : { scope: "row" }, cell)));
      return line;
    }));
  };

  // Light or dark: the system setting, until the button is used.
  const theme = $("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  let dark = system.matches;
  const paint = () => {
    theme.textContent = dark ? "Light" : "Dark";
    theme.setAttribute("aria-label", dark ? "Use light colours" : "Use dark colours");
  };
  theme.addEventListener("click", () => {
    dark = !dark;
    document.documentElement.dataset.theme = dark ? "dark" : "light";
    paint();
  });
  system.addEventListener("change", (event) => {
    if (!document.documentElement.dataset.theme) { dark = event.matches; paint(); }
  });
  paint();

  // The positions of charts are in the attributes that the program wrote.
  const frame = (id) => {
    const chart = $(id);
    const place = chart && chart.querySelector(".frame");
    if (!place) return null;
    const [left, right, top, bottom] = ["left", "right", "top", "bottom"].map((k) => Number(place.dataset[k]));
    return {
      chart,
      x: (v) => left + v * (right - left),
      y: (v) => bottom - v * (bottom - top),
      left, right, top, bottom,
    };
  };
  const roc = frame("roc"), pr = frame("pr"), histogram = frame("histogram"), calibration = frame("calibration");
  const set = (chart, selector, attributes) => {
    const at = chart && chart.querySelector(selector);
    if (at) for (const key in attributes) at.setAttribute(key, attributes[key]);
  };
  const px = (v) => String(Number(v.toFixed(1)));
  const path = (f, points) => points.map(([x, y]) => px(f.x(x)) + "," + px(f.y(y))).join(" ");

  let current = data.classes[0];
  let stop = current.own;
  const slider = $("slider");

  // The decisions at a stop.
  const decide = (k) => {
    const c = current, tp = c.tp[k], fp = c.fp[k], fn = c.p - tp, tn = c.n - fp;
    const costs = [Number($("cost-fp").value) || 0, Number($("cost-fn").value) || 0];
    return {
      threshold: c.t[k], tp, fp, fn, tn,
      precision: ratio(tp, tp + fp), recall: ratio(tp, c.p), specificity: ratio(tn, c.n), fpr: ratio(fp, c.n),
      f1: ratio(2 * tp, 2 * tp + fp + fn), accuracy: ratio(tp + tn, c.p + c.n), said: ratio(tp + fp, c.p + c.n),
      cost: fp * costs[0] + fn * costs[1],
    };
  };
  const cells = (k) => {
    const d = decide(k);
    return [d.tp, d.fn, d.fp, d.tn];
  };

  const show = () => {
    const d = decide(stop);
    const label = String(d.threshold);
    say("at", label);
    slider.value = stop;
    slider.setAttribute("aria-valuetext",
      label + ": precision " + four(d.precision) + ", recall " + four(d.recall));
    const counts = cells(stop);
    ["tp", "fn", "fp", "tn"].forEach((id, i) => {
      say(id, count(counts[i]));
      const row = i < 2 ? counts[0] + counts[1] : counts[2] + counts[3];
      $(id).parentElement.style.setProperty("--share", ratio(counts[i], row).toFixed(3));
    });
    for (const id of ["precision", "recall", "f1", "accuracy", "specificity"]) say(id, four(d[id]));
    say("said", (100 * d.said).toFixed(2) + "%");
    say("cost", count(d.cost));
    say("cost-row", digits(ratio(d.cost, current.p + current.n), 4));
    if (roc) set(roc.chart, ".mark", { cx: px(roc.x(d.fpr)), cy: px(roc.y(d.recall)) });
    if (pr) {
      const precision = d.tp + d.fp > 0 ? d.precision : 1;
      set(pr.chart, ".mark", { cx: px(pr.x(d.recall)), cy: px(pr.y(precision)) });
    }
    if (histogram) {
      const at = px(histogram.x(d.threshold));
      set(histogram.chart, ".at polyline", { points: at + "," + histogram.top + " " + at + "," + histogram.bottom });
    }
  };

  slider.addEventListener("input", () => { stop = Number(slider.value); show(); });
  for (const id of ["cost-fp", "cost-fn"]) $(id).addEventListener("input", show);
  const best = (value) => {
    let at = 0;
    for (let k = 1; k < current.t.length; k++) if (value(decide(k)) > value(decide(at))) at = k;
    return at;
  };
  const presets = {
    own: () => current.own,
    f1: () => best((d) => d.f1),
    youden: () => best((d) => d.recall - d.fpr),
    cost: () => best((d) => -d.cost),
  };
  for (const button of document.querySelectorAll("[data-preset]")) {
    button.addEventListener("click", () => { stop = presets[button.dataset.preset](); show(); });
  }

  // Change of the class.
  const bars = (f, shares, scale) => shares.map((share, k) => {
    if (!(share > 0)) return "";
    const n = shares.length, zero = (f.top + f.bottom) / 2;
    const height = Math.max(share * Math.abs(scale) * (f.bottom - f.top) / 2, 1) * Math.sign(scale);
    return "M" + px(f.x(k / n) + 0.5) + " " + px(zero) + "V" + px(zero - height) +
      "H" + px(f.x((k + 1) / n) - 0.5) + "V" + px(zero) + "Z";
  }).join("");
  const shares = (weights) => {
    const total = weights.reduce((a, b) => a + b, 0);
    return weights.map((w) => ratio(w, total));
  };
  const percent = (x) => Math.round(1000 * x) / 10 + "%";
  // Each recall has the precision of the first threshold that reaches it.
  const steps = (points) => points.flatMap((at, i) => i ? [[points[i - 1][0], at[1]], at] : [at]);
  const clip = (name, n) => {
    const letters = [...name];
    return letters.length > n ? letters.slice(0, n - 1).join("") + "…" : name;
  };
  const drawClass = () => {
    const c = current, chance = ratio(c.p, c.p + c.n);
    for (const at of document.querySelectorAll(".yes")) at.textContent = c.short;
    say("auc", c.auc === null ? "–" : four(c.auc));
    say("ap", c.ap === null ? "–" : four(c.ap));
    say("ece", four(c.ece));
    const order = c.t.map((_, k) => c.t.length - 1 - k);
    if (roc) {
      const points = order.map((k) => [ratio(c.fp[k], c.n), ratio(c.tp[k], c.p)]);
      set(roc.chart, ".curve polyline", { points: path(roc, [[0, 0], ...points, [1, 1]]) });
    }
    if (pr) {
      const points = order.map((k) => {
        const called = c.tp[k] + c.fp[k];
        return [ratio(c.tp[k], c.p), called > 0 ? c.tp[k] / called : 1];
      });
      set(pr.chart, ".curve polyline", { points: path(pr, steps([[0, 1], ...points, [1, chance]])) });
      set(pr.chart, ".chance polyline", { points: path(pr, [[0, chance], [1, chance]]) });
    }
    if (histogram) {
      const up = shares(c.pos), down = shares(c.neg), most = Math.max(...up, ...down);
      const end = data.ends.find((end) => most <= end) || 1;
      set(histogram.chart, ".positives", { d: bars(histogram, up, 1 / end) });
      set(histogram.chart, ".negatives", { d: bars(histogram, down, -1 / end) });
      const upper = histogram.chart.querySelector(".upper text");
      upper.textContent = c.short;
      const ticks = [...histogram.chart.querySelectorAll("text.tick.end")];
      [1, 0.5, 0, 0.5, 1].forEach((t, i) => { if (ticks[i]) ticks[i].textContent = percent(end * t); });
    }
    if (calibration) {
      set(calibration.chart, ".curve polyline", { points: path(calibration, c.cal) });
      const group = calibration.chart.querySelector(".bins");
      group.replaceChildren(...c.cal.map(([x, y, share]) => {
        const dot = document.createElementNS("http://www.w3.org/2000/svg", "circle");
        const at = { class: "f0", cx: calibration.x(x), cy: calibration.y(y), r: 3 + 7 * Math.sqrt(share) };
        for (const key in at) dot.setAttribute(key, at[key]);
        return dot;
      }));
    }
    for (const f of [roc, pr, histogram, calibration]) {
      const title = f && f.chart.querySelector("title");
      if (title) title.textContent = title.textContent.split(" of ", 1)[0] + " of " + clip(c.name, 40);
    }
    const rows = [], n = Math.min(20, c.t.length);
    for (let i = 0; i < n; i++) {
      const d = decide(Math.round(i * (c.t.length - 1) / Math.max(n - 1, 1)));
      rows.push([String(d.threshold), four(d.precision), four(d.recall), four(d.fpr), four(d.f1), count(d.tp), count(d.fp)]);
    }
    fill($("stops"), rows);
    fill($("bins"), c.bins);
  };

  // Coefficients: the largest, or those whose names match the search.
  const find = $("find"), forest = $("forest"), SHOWN = 20;
  const coefficients = () => {
    const c = data.coefficients[data.classes.indexOf(current)];
    if (!c) return;
    const wanted = find.value.trim().toLowerCase();
    const all = c.f.map((_, i) => i);
    const hits = wanted ? all.filter((i) => data.features[c.f[i]].toLowerCase().includes(wanted)) : all;
    const middle = (v) => Math.min(Math.max(50 + 50 * v / data.reach, 0), 100);
    forest.tBodies[0].replaceChildren(...hits.slice(0, SHOWN).map((i) => {
      const at = middle(c.s[i]), line = element("tr");
      const bar = element("span", { class: "bar " + (c.s[i] < 0 ? "lowers" : "raises") });
      bar.style.setProperty("--from", Math.min(at, 50) + "%");
      bar.style.setProperty("--to", Math.max(at, 50) + "%");
      bar.style.setProperty("--at", at + "%");
      const known = c.lo && c.lo[i] !== null;
      if (known) {
        const interval = element("span", { class: "interval" });
        interval.style.setProperty("--low", middle(c.lo[i]) + "%");
        interval.style.setProperty("--high", middle(c.hi[i]) + "%");
        bar.append(interval);
      }
      const axis = element("td", { class: "axis" });
      axis.append(bar);
      line.append(
        element("th", { scope: "row" }, data.features[c.f[i]]), axis,
        element("td", {}, oddsRatio(Math.exp(c.s[i]))),
        ...(c.lo ? [element("td", { class: "wide" }, known ?
          oddsRatio(Math.exp(c.lo[i])) + " to " + oddsRatio(Math.exp(c.hi[i])) : "–")] : []),
        element("td", { class: "wide" }, oddsRatio(Math.exp(c.b[i]))),
        element("td", { class: "wide" }, digits(c.b[i], 4)),
      );
      return line;
    }));
    const shown = Math.min(SHOWN, hits.length);
    const carried = c.f.length < c.nonzero ? ", of the " + count(c.f.length) + " carried here" : "";
    say("found", !all.length ? "every coefficient is zero" :
      wanted ? shown + " of " + count(hits.length) + " that match" + carried :
      "the " + shown + " largest of " + count(c.nonzero));
    forest.parentElement.hidden = !all.length;
    say("nonzero", count(c.nonzero));
    say("intercept", digits(c.intercept, 4));
    document.querySelectorAll(".inference").forEach((of, k) => { of.hidden = k !== data.classes.indexOf(current); });
  };
  find.addEventListener("input", coefficients);

  const picks = document.querySelectorAll("select.class");
  for (const pick of picks) {
    pick.addEventListener("change", () => {
      for (const other of picks) other.value = pick.value;
      current = data.classes[Number(pick.value)];
      stop = current.own;
      slider.max = current.t.length - 1;
      drawClass();
      show();
      coefficients();
    });
  }

  // Show the cell of the confusion matrix under the pointer.
  const heat = document.querySelector("#confusion .heat");
  if (heat && data.matrix) {
    const n = Number(heat.dataset.n);
    heat.addEventListener("pointermove", (event) => {
      const box = heat.getBoundingClientRect();
      const i = Math.floor((event.clientY - box.top) / box.height * n);
      const j = Math.floor((event.clientX - box.left) / box.width * n);
      if (i < 0 || j < 0 || i >= n || j >= n) return;
      const row = data.matrix[i];
      let rows = 0;
      for (let k = 0; k < row.length; k += 2) if (row[k] === j) rows = row[k + 1];
      say("cell", data.names[i] + " predicted as " + data.names[j] + ": " + count(rows) + (rows === 1 ? " row" : " rows"));
    });
  }

  // The same cells as a table, once it is opened.
  const all = $("cells");
  if (all && data.matrix) {
    all.hidden = false;
    all.addEventListener("toggle", () => {
      fill(all.querySelector("table"), data.matrix.flatMap((row, i) => {
        const cells = [];
        let total = 0;
        for (let k = 0; k < row.length; k += 2) total += row[k + 1];
        for (let k = 0; k < row.length; k += 2) {
          cells.push([data.names[i], data.names[row[k]], count(row[k + 1]), (100 * row[k + 1] / total).toFixed(2) + "%"]);
        }
        return cells;
      }));
      for (const row of all.querySelectorAll("tbody tr")) row.cells[1].className = "text";
    }, { once: true });
  }

  show();
})();

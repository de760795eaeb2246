// The heat map of best known solutions, the pictures of the chosen one, and its download.
"use strict";
(() => {
  const cells = JSON.parse(document.getElementById("data").textContent);
  const table = document.querySelector(".heat");
  const lams = table.dataset.lams.split(" ");
  const buttons = [...table.querySelectorAll("button")];
  const quantity = document.getElementById("quantity");
  const slider = document.getElementById("lams");
  const panel = document.getElementById("cell");
  let lam = lams[0];

  const find = (K, L) => cells.find((cell) => cell.K === Number(K) && cell.L === Number(L) && cell.lam === lam);
  const make = (name, text = "", attributes = {}) => {
    const element = document.createElement(name);
    element.textContent = text;
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    return element;
  };

  const paint = () => {
    const values = buttons.map((button) => find(button.dataset.k, button.dataset.l)?.[quantity.value] ?? null);
    const known = values.filter((value) => value !== null);
    const [low, high] = [Math.min(...known), Math.max(...known)];
    buttons.forEach((button, number) => {
      const value = values[number];
      const share = value === null ? 1 : (value - low) / (high - low || 1);
      button.textContent = value === null ? "–" : value.toFixed(3);
      button.style.background = `hsl(${200 - 160 * share} 65% ${62 + 20 * share}%)`;
    });
    document.getElementById("lam").textContent = lam;
  };

  const gram = ({ scale, steps }, K, layer) => {
    const bytes = Int8Array.from(atob(steps), (letter) => letter.charCodeAt(0));
    const canvas = make("canvas", "", { width: K, height: K, role: "img", "aria-label": `Gram matrix of layer ${layer}` });
    const context = canvas.getContext("2d");
    const image = context.createImageData(K, K);
    bytes.forEach((step, at) => {
      const share = Math.abs(step) / 127;
      const colour = step >= 0 ? [255 - 230 * share, 255 - 170 * share, 255 - 80 * share] : [255 - 60 * share, 255 - 190 * share, 255 - 210 * share];
      image.data.set([...colour, 255], 4 * at);
    });
    context.putImageData(image, 0, 0);
    const figure = make("figure");
    figure.append(canvas, make("figcaption", `layer ${layer}, largest ${scale.toPrecision(3)}`));
    return figure;
  };

  const graph = (edges) => {
    const number = 1 + Math.max(...edges.flat());
    const at = (i) => [110 + 92 * Math.sin((2 * Math.PI * i) / number), 110 - 92 * Math.cos((2 * Math.PI * i) / number)];
    const lines = edges.map(([a, b]) => `<path d="M${at(a)} L${at(b)}" stroke="currentColor" stroke-opacity=".6"/>`);
    const dots = Array.from({ length: number }, (_, i) => `<circle cx="${at(i)[0]}" cy="${at(i)[1]}" r="4" fill="currentColor"/>`);
    const figure = make("figure");
    figure.innerHTML = `<svg width="220" height="220" role="img" aria-label="Graph with ${number} vertices and ${edges.length} edges">${lines.join("")}${dots.join("")}</svg>`;
    figure.append(make("figcaption", "Its graph: an edge is a class"));
    return figure;
  };

  const choose = (K, L) => {
    const cell = find(K, L);
    if (!cell) return;
    for (const button of buttons) button.setAttribute("aria-pressed", button.dataset.k === String(K) && button.dataset.l === String(L));
    const { grams, edges, ...told } = cell;
    const file = new Blob([JSON.stringify({ ...cell, steps_of: "1/127 of scale, signed bytes" }, null, 1)], { type: "application/json" });
    const link = make("a", "Download", { href: URL.createObjectURL(file), download: `best-known-K${K}-L${L}-lam${lam}.json` });
    const pictures = make("div", "", { class: "grams" });
    pictures.append(...(cell.name === "matrices" ? [] : [graph(edges)]), ...grams.map((one, layer) => gram(one, cell.K, layer + 1)));
    const steps = make("ul");
    steps.append(...cell.history.map(([loss, date, method]) => make("li", `${date}: ${loss.toPrecision(8)}, ${method}`)));
    panel.replaceChildren(
      make("h2", `K = ${K}, L = ${L}, λ = ${lam}`),
      make("p", `${cell.name}, ranks ${cell.ranks.join(", ")}; loss ${cell.loss.toPrecision(10)}.`),
      make("p", `Over DNC ${cell.ratio.toFixed(6)}${cell.srg === null ? "" : `, over SRG ${cell.srg.toFixed(6)}`}; the proved lower bound is ${(100 * cell.bound).toFixed(1)} % of it.`),
      ...(told.graph6 ? [make("p", `Graph of the best graph solution, in graph6: ${told.graph6}`)] : []),
      pictures, make("h3", "How the loss came down"), steps, link,
      make("pre", `from theory import dufm\nsolution = dufm.best_known(${K}, ${L})`, { class: "code", tabindex: "0" }),
    );
    history.replaceState(null, "", `#${new URLSearchParams({ K, L, lam, show: quantity.value })}`);
  };

  const read = () => {
    const told = new URLSearchParams(location.hash.slice(1));
    if (lams.includes(told.get("lam"))) lam = told.get("lam");
    if ([...quantity.options].some((option) => option.value === told.get("show"))) quantity.value = told.get("show");
    if (slider) slider.value = lams.indexOf(lam);
    paint();
    choose(told.get("K"), told.get("L"));
  };

  for (const button of buttons) button.addEventListener("click", () => choose(button.dataset.k, button.dataset.l));
  table.addEventListener("keydown", ({ key, target }) => {
    const move = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[key];
    const cell = target.closest("td");
    if (!move || !cell) return;
    const row = table.rows[cell.parentElement.rowIndex + move[0]];
    row?.cells[cell.cellIndex + move[1]]?.querySelector("button")?.focus();
  });
  quantity.addEventListener("change", paint);
  slider?.addEventListener("input", () => { lam = lams[slider.value]; paint(); });
  addEventListener("hashchange", read);
  read();
})();

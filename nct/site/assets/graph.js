// The graph of claims: a click chooses a node and shows its neighbours, arrow keys walk along edges, Enter opens a page.
"use strict";
(() => {
  const box = document.querySelector(".scroll.graph");
  const svg = box.querySelector("svg");
  const panel = document.getElementById("selected");
  const nodes = new Map([...svg.querySelectorAll(".node")].map((node) => [node.dataset.id, node]));
  const edges = [...svg.querySelectorAll(".edge")];
  const size = { width: svg.viewBox.baseVal.width, height: svg.viewBox.baseVal.height };
  let chosen = null;

  const reached = (start, from, to) => {
    const found = new Set();
    const open = [start];
    while (open.length) {
      const at = open.pop();
      for (const edge of edges) {
        if (edge.dataset[from] === at && !found.has(edge.dataset[to])) {
          found.add(edge.dataset[to]);
          open.push(edge.dataset[to]);
        }
      }
    }
    return found;
  };

  const beside = (id, from, to) => edges.filter((edge) => edge.dataset[from] === id).map((edge) => edge.dataset[to]);
  const list = (title, ids) => {
    const line = document.createElement("p");
    line.append(`${title}: `, ids.length ? "" : "nothing");
    ids.forEach((id, number) => {
      const link = document.createElement("a");
      link.href = `#${id}`;
      link.textContent = id;
      line.append(number ? ", " : "", link);
    });
    return line;
  };

  const choose = (id, { focus = true } = {}) => {
    const node = nodes.get(id);
    if (!node) return;
    chosen = id;
    const before = reached(id, "to", "from");
    const after = reached(id, "from", "to");
    const near = (name) => name === id || before.has(name) || after.has(name);
    svg.classList.add("walking");
    for (const [name, other] of nodes) {
      other.classList.toggle("near", near(name));
      other.classList.toggle("chosen", name === id);
    }
    for (const { classList, dataset: { from, to } } of edges) {
      classList.toggle("near", (before.has(from) && (to === id || before.has(to)))
        || ((from === id || after.has(from)) && after.has(to)));
    }
    const heading = document.createElement("p");
    const link = document.createElement("a");
    link.href = node.getAttribute("href");
    link.textContent = node.getAttribute("aria-label");
    heading.append(link);
    panel.replaceChildren(heading, list("Rests on", beside(id, "to", "from")), list("Needed by", beside(id, "from", "to")));
    panel.hidden = false;
    history.replaceState(null, "", `#${id}`);
    box.scrollIntoView({ block: "nearest" });
    const place = node.getBoundingClientRect();
    const window = box.getBoundingClientRect();
    box.scrollBy(place.x + place.width / 2 - window.x - window.width / 2, place.y - window.y - window.height / 2);
    if (focus) node.focus({ preventScroll: true });
  };

  const zoom = (scale) => {
    svg.setAttribute("width", size.width * scale);
    svg.setAttribute("height", size.height * scale);
  };
  let scale = 1;
  const rescale = (next) => { scale = Math.min(Math.max(next, 0.1), 3); zoom(scale); };

  for (const [id, node] of nodes) {
    node.addEventListener("click", (event) => {
      if (event.ctrlKey || event.metaKey || event.shiftKey || chosen === id) return;
      event.preventDefault();
      choose(id);
    });
    node.addEventListener("keydown", (event) => {
      const own = node.querySelector("rect").y.baseVal.value;
      const ends = { ArrowLeft: ["to", "from"], ArrowRight: ["from", "to"] }[event.key];
      let next;
      if (ends) {
        const away = (name) => Math.abs(nodes.get(name).querySelector("rect").y.baseVal.value - own);
        [next] = beside(id, ...ends).sort((a, b) => away(a) - away(b));
      } else if (event.key === "ArrowUp" || event.key === "ArrowDown") {
        const all = [...nodes.keys()];
        next = all[all.indexOf(id) + (event.key === "ArrowDown" ? 1 : -1)];
      } else if (event.key === "Enter") {
        event.preventDefault();
        location.href = node.getAttribute("href");
      }
      if (next) { event.preventDefault(); choose(next); }
    });
  }
  document.getElementById("smaller").addEventListener("click", () => rescale(scale / 1.3));
  document.getElementById("larger").addEventListener("click", () => rescale(scale * 1.3));
  document.getElementById("fit").addEventListener("click", () => rescale((box.clientWidth - 16) / size.width));
  document.getElementById("find").addEventListener("change", (event) => choose(event.target.value.trim()));
  addEventListener("hashchange", () => choose(decodeURIComponent(location.hash.slice(1))));
  if (location.hash) choose(decodeURIComponent(location.hash.slice(1)), { focus: false });
})();

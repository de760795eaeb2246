// Curves against a logarithmic axis, with the two numbers of classes or layers to choose.
"use strict";
(() => {
  const data = JSON.parse(document.getElementById("data").textContent);
  const isRatio = "ratio" in data;
  const [xs, table] = isRatio ? [data.lam, data.ratio] : [data.budget, data.threshold];
  const seconds = isRatio ? data.L : data.K;
  const [xName, yName, curve] = isRatio ? ["λ", "L_srg / L_dnc", "L"] : ["Ω", "n_maj / n_min", "minority classes"];
  const first = document.getElementById("first");
  const second = document.getElementById("second");
  const box = { left: 84, right: 700, top: 34, bottom: 360 };
  const log = Math.log10;
  const short = (value) => value >= 1e-3 && value < 1e5 ? String(Number(value.toPrecision(3))) : value.toExponential(1).replace("e+", "e");

  const draw = () => {
    const row = table[data.K.indexOf(Number(first.value))];
    const chosen = seconds.map((value, at) => [value, row[at]]).filter(([value]) => !second.value || value === Number(second.value));
    const flat = chosen.flatMap(([, values]) => values).map((y) => (isRatio ? y : log(y)));
    const [low, high] = [Math.min(...flat, isRatio ? 1 : 0), Math.max(...flat, isRatio ? 1 : 0)];
    const x = (value) => box.left + ((log(value) - log(xs[0])) / (log(xs.at(-1)) - log(xs[0]))) * (box.right - box.left);
    const y = (value) => box.bottom - ((isRatio ? value : log(value)) - low) / (high - low || 1) * (box.bottom - box.top);
    const parts = [`<path class="axis" fill="none" d="M${box.left} ${box.top}V${box.bottom}H${box.right}"/>`];
    for (let power = Math.ceil(log(xs[0]) - 1e-9); power <= log(xs.at(-1)) + 1e-9; power += 1) {
      parts.push(`<text x="${x(10 ** power)}" y="${box.bottom + 20}" text-anchor="middle">10<tspan dy="-6" font-size="9">${power}</tspan></text>`);
    }
    for (let step = 0; step <= 4; step += 1) {
      const at = low + (step / 4) * (high - low);
      const value = isRatio ? at : 10 ** at;
      parts.push(`<text x="${box.left - 8}" y="${y(value) + 4}" text-anchor="end">${short(value)}</text>`);
    }
    parts.push(`<path class="limit" d="M${box.left} ${y(1)}H${box.right}"/>`,
      `<text x="${(box.left + box.right) / 2}" y="396" text-anchor="middle">${xName}</text>`, `<text x="8" y="14">${yName}</text>`);
    chosen.forEach(([value, values], at) => {
      const colour = `hsl(${(at * 360) / Math.max(chosen.length, 1)} 60% 50%)`;
      const points = values.map((one, number) => `${x(xs[number]).toFixed(1)} ${y(one).toFixed(1)}`);
      parts.push(`<path class="curve" stroke="${colour}" d="M${points.join("L")}"><title>${curve} = ${value}</title></path>`,
        `<path class="curve" stroke="${colour}" d="M${box.right + 16} ${40 + 22 * at}h22"/>`,
        `<text x="${box.right + 44}" y="${44 + 22 * at}">${isRatio ? `L = ${value}` : value}</text>`);
    });
    document.getElementById("plot").innerHTML = `<svg class="plot" viewBox="0 0 830 404">${parts.join("")}</svg>`;
    const least = chosen.map(([value, values]) => {
      const best = values.reduce((found, one, at) => (one < values[found] ? at : found), 0);
      return `${curve} = ${value}: least ${short(values[best])} at ${xName} = ${short(xs[best])}`;
    });
    document.getElementById("read").textContent = least.join("; ");
    history.replaceState(null, "", `#${new URLSearchParams({ first: first.value, second: second.value })}`);
  };

  const read = () => {
    const told = new URLSearchParams(location.hash.slice(1));
    for (const [name, select] of Object.entries({ first, second })) {
      if ([...select.options].some((option) => option.value === told.get(name))) select.value = told.get(name);
    }
    draw();
  };
  first.addEventListener("change", draw);
  second.addEventListener("change", draw);
  addEventListener("hashchange", read);
  read();
})();

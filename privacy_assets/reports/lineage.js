// Draws the lineage page of what `lineage.py` tells (see `told` there), and answers clicks and keys.
//
// Belongs here: drawing, lighting what a column reaches, filters, keys. Does not belong here: any fact. Text is only ever
// set as text. Columns are made when they are shown; positions are the browser's own, by a grid of stages and lanes.
"use strict";
{
  const told = JSON.parse(document.getElementById("told").textContent);
  const { assets, kinds, roles, stages } = told;
  const VALUE = 0;
  const FIRST = 12; // of the columns that were reached in an asset, so many are shown before it is opened
  const LEGIBLE = 0.6; // the scale to which the page makes itself smaller, and no further
  const find = (id) => document.getElementById(id);
  const [sheet, space, corridor, panel] = ["sheet", "space", "corridor", "panel"].map(find);

  function make(tag, text = "", attributes = {}, ...children) {
    const element = document.createElement(tag);
    if (text !== "") element.textContent = text;
    for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
    element.append(...children);
    return element;
  }

  // ---- the graph: a place is the number of a column among all columns of all assets

  const first = []; // of each asset, its first place
  const owner = []; // of each place, its asset
  for (const [at, asset] of assets.entries()) {
    first.push(owner.length);
    for (let count = asset.columns.length; count > 0; count--) owner.push(at);
  }
  const into = owner.map(() => []);
  const outOf = owner.map(() => []);
  function join(asset, column, target, kind) {
    into[target].push([first[asset] + column, kind]);
    outOf[first[asset] + column].push([target, kind]);
  }
  for (const [at, asset] of assets.entries()) {
    for (const [number, column] of asset.columns.entries()) {
      const target = first[at] + number;
      for (const [from, source] of column.value) join(from, source, target, VALUE);
      for (const [from, source, kind] of column.decides) join(from, source, target, kind);
      for (const [from, source, kind] of asset.every) join(from, source, target, kind);
    }
  }
  const columnAt = (place) => assets[owner[place]].columns[place - first[owner[place]]];
  const nameOf = (place) => `${assets[owner[place]].name}.${columnAt(place).name}`;

  // What is reached from a place: true where values flow all the way, false where somewhere a column only decides.
  function reach(start, edges) {
    const found = new Map();
    for (const byValue of [true, false]) {
      const waiting = [start, ...found.keys()];
      for (let place = waiting.pop(); place !== undefined; place = waiting.pop()) {
        for (const [other, kind] of edges[place]) {
          if (other === start || found.has(other) || (byValue && kind !== VALUE)) continue;
          found.set(other, byValue);
          waiting.push(other);
        }
      }
    }
    return found;
  }

  // ---- what is looked at

  const opened = new Set(); // assets opened by hand
  let chosen = null; // an asset in the panel
  let lit = null; // {start, up, down, all} of the column that was clicked
  let scale = 1;

  const isRole = (column, role) =>
    role === "none" ? column.left.length === 0 : column.left.includes(roles.indexOf(role));

  function shownAssets() {
    const [purpose, dataset, role] = ["purpose", "dataset", "role"].map((name) => find(name).value);
    const fed = new Set(); // the purpose's own assets, and what they read of raw
    const fromIt = new Set(); // what is made of the dataset, raw and all
    for (const [at, asset] of assets.entries()) {
      if (asset.purpose === purpose) [at, ...asset.reads].forEach((one) => fed.add(one));
    }
    for (const [at, asset] of assets.entries()) {
      const raw = asset.purpose === "" && asset.dataset === dataset;
      if (raw || asset.reads.some((one) => fromIt.has(one))) fromIt.add(at);
    }
    return assets.map(
      (asset, at) =>
        (!purpose || fed.has(at)) && (!dataset || fromIt.has(at)) && (!role || asset.columns.some((one) => isRole(one, role))),
    );
  }

  // ---- drawing

  const drawn = []; // of each asset its elements; `rows` by place, `more` stands for the reached columns left out
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("aria-hidden", "true");

  function badges(left) {
    return left.map((role) => make("i", roles[role][0].toUpperCase(), { class: `role-${role}`, title: roles[role] }));
  }

  const heads = stages.map((stage) => make("div", stage, { class: "stage" }));
  const lanes = new Map(
    Object.entries(told.purposes).map(([purpose, title]) => [purpose, make("div", "", { class: "lane" }, make("b", purpose), ` ${title}`)]),
  );
  const cells = new Map(); // of each stage and purpose

  // In the order of tabs: raw, then lane by lane from left to right.
  function frame() {
    for (const [at, asset] of assets.entries()) {
      const key = `${asset.purpose} ${asset.stage}`;
      if (!cells.has(key)) cells.set(key, make("div", "", { class: "cell" }));
      const button = make("button", "", { type: "button", "aria-expanded": "false" });
      const node = make("section", "", { class: asset.passport ? "node" : "node unpublished" }, button);
      drawn.push({ node, button, list: null, rows: new Map(), more: null });
      button.addEventListener("click", () => open(at));
      label(at);
      cells.get(key).append(node);
    }
    sheet.append(svg, ...heads);
    for (const [purpose, lane] of [["", ""], ...lanes]) {
      sheet.append(lane, ...stages.flatMap((_, stage) => cells.get(`${purpose} ${stage}`) ?? []));
    }
  }

  // Where everything stands: a column a stage, a row a lane, of those that are shown; raw beside all lanes.
  function arrange(shown) {
    const seen = new Set(assets.flatMap((asset, at) => (shown[at] ? [asset.stage, asset.purpose] : [])));
    const across = stages.map((_, stage) => stage).filter((stage) => seen.has(stage));
    const down = [...lanes.keys()].filter((purpose) => seen.has(purpose));
    for (const [stage, head] of heads.entries()) {
      head.hidden = !seen.has(stage);
      head.style.gridArea = `1 / ${across.indexOf(stage) + 1}`;
    }
    for (const [purpose, lane] of lanes) {
      lane.hidden = !seen.has(purpose);
      lane.style.gridArea = `${2 * down.indexOf(purpose) + 2} / 2 / auto / -1`;
    }
    for (const [key, cell] of cells) {
      const [purpose, stage] = key.split(" ");
      const column = across.indexOf(Number(stage)) + 1;
      cell.hidden = !column || (purpose !== "" && !seen.has(purpose));
      cell.style.gridArea = purpose ? `${2 * down.indexOf(purpose) + 3} / ${column}` : `2 / ${column} / -1`;
    }
    sheet.style.gridTemplateColumns = `repeat(${across.length}, max-content)`;
    // the last row takes what raw is higher than all lanes
    sheet.style.gridTemplateRows = `repeat(${2 * down.length + 1}, auto) 1fr`;
  }

  function label(at) {
    const asset = assets[at];
    const left = [...new Set(asset.columns.flatMap((column) => column.left))].sort();
    const kept = asset.findings.filter((one) => one.verdict === "kept").length;
    const what = make("small", `${asset.columns.length} columns, `);
    if (!asset.passport) what.append("not published");
    else if (asset.passport.withdrawn) what.append(make("span", "withdrawn", { class: "bad" }));
    else if (asset.passport.erased) what.append(make("span", "holds somebody erased", { class: "bad" }));
    else {
      const others = asset.findings.map((one) => one.verdict).filter((verdict) => verdict !== "kept");
      const counted = [...new Set(others)].map((verdict) => `, ${others.filter((one) => one === verdict).length} ${verdict}`);
      what.append(`${kept} kept`, make("span", counted.join(""), { class: "bad" }));
    }
    drawn[at].button.append(make("b", asset.dataset || asset.purpose), ...badges(left), what);
    drawn[at].button.setAttribute("title", asset.name);
  }

  function rows(at) {
    const asset = assets[at];
    const every = asset.columns.map((_, number) => first[at] + number);
    if (opened.has(at)) return [every, 0];
    if (!lit) return [[], 0];
    const reached = every.filter((place) => lit.all.has(place));
    return [reached.slice(0, FIRST), Math.max(0, reached.length - FIRST)];
  }

  function fill(at) {
    const one = drawn[at];
    const [places, more] = rows(at);
    const focused = one.list && one.list.contains(document.activeElement) ? document.activeElement.dataset.place : null;
    one.list?.remove();
    one.list = one.more = null;
    one.rows.clear();
    one.button.setAttribute("aria-expanded", String(opened.has(at)));
    one.node.classList.toggle("chosen", chosen === at);
    one.node.classList.toggle("reached", Boolean(lit) && lit.assets.has(at));
    if (!places.length) return;
    const role = find("role").value;
    one.list = make("ul");
    for (const place of places) {
      const column = columnAt(place);
      const kind = column.left.length ? `role-${column.left[0]}` : "role-none";
      const button = make("button", "", { type: "button", class: kind, "data-place": place, title: column.name });
      button.append(make("span", column.name), ...badges(column.left));
      button.addEventListener("click", () => light(lit && lit.start === place ? null : place));
      const item = make("li", "", {}, button);
      if (lit && lit.all.has(place)) {
        item.classList.add("reached");
        if (place === lit.start) {
          item.classList.add("start");
          button.setAttribute("aria-current", "true");
        } else if (!lit.all.get(place)) item.classList.add("rows");
      }
      if (role && !isRole(column, role)) item.classList.add("other");
      one.rows.set(place, item);
      one.list.append(item);
    }
    if (more) {
      const button = make("button", `… ${more} more`, { type: "button" });
      button.addEventListener("click", () => open(at));
      one.more = make("li", "", { class: "more" }, button);
      one.list.append(one.more);
    }
    one.node.append(one.list);
    if (focused !== null) one.list.querySelector(`[data-place="${focused}"]`)?.focus({ preventScroll: true });
  }

  // Where a line begins or ends: at a column that is shown, at those left out, or at its asset.
  function end(place, at) {
    const { rows, more, button } = drawn[at];
    return (place === null ? null : rows.get(place) ?? more) ?? button;
  }

  function lines(shown) {
    const found = new Map(); // of each element a line begins at, those where it ends, and whether values flow
    function add(source, sourceAt, target, targetAt, kind) {
      if (!shown[sourceAt] || !shown[targetAt]) return;
      const [from, to] = [end(source, sourceAt), end(target, targetAt)];
      if (!found.has(from)) found.set(from, new Map());
      found.get(from).set(to, (found.get(from).get(to) ?? false) || kind === VALUE);
    }
    if (lit) {
      for (const [at, asset] of assets.entries()) {
        if (!lit.assets.has(at)) continue;
        for (const [from, source, kind] of asset.every) {
          if (lit.onward(first[from] + source, at)) add(first[from] + source, from, null, at, kind);
        }
        for (const [number, column] of asset.columns.entries()) {
          const target = first[at] + number;
          for (const [from, source, kind = VALUE] of [...column.value, ...column.decides]) {
            if (lit.between(first[from] + source, target)) add(first[from] + source, from, target, at, kind);
          }
        }
      }
    } else {
      for (const [at, asset] of assets.entries()) {
        const values = new Set(asset.columns.flatMap((column) => column.value.map(([from]) => from)));
        for (const from of asset.reads) add(null, from, null, at, values.has(from) ? VALUE : 1);
      }
    }
    const middle = (element) => element.offsetTop + element.offsetHeight / 2;
    const paths = [];
    for (const [from, targets] of found) {
      for (const [to, value] of targets) {
        const left = from.offsetLeft + from.offsetWidth;
        const right = to.offsetLeft;
        const bend = Math.max(30, (right - left) / 2);
        const path = document.createElementNS("http://www.w3.org/2000/svg", "path");
        path.setAttribute("class", value ? "edge value" : "edge");
        path.setAttribute(
          "d",
          `M${left} ${middle(from)}C${left + bend} ${middle(from)} ${right - bend} ${middle(to)} ${right} ${middle(to)}`,
        );
        paths.push(path);
      }
    }
    svg.replaceChildren(...paths);
  }

  function draw() {
    const shown = shownAssets();
    document.body.classList.toggle("lit", Boolean(lit));
    find("clear").disabled = !lit;
    for (const [at, one] of drawn.entries()) {
      one.node.hidden = !shown[at];
      if (shown[at]) fill(at);
    }
    arrange(shown);
    const count = shown.filter(Boolean).length;
    const words = lit ? `; ${nameOf(lit.start)}: ${lit.up.size} columns upstream, ${lit.down.size} downstream` : "";
    find("status").textContent = `${count} of ${assets.length} assets${words}`;
    lines(shown);
    resize();
  }

  function resize() {
    sheet.style.transform = `scale(${scale})`;
    space.style.width = `${sheet.offsetWidth * scale}px`;
    space.style.height = `${sheet.offsetHeight * scale}px`;
  }

  // ---- the panel

  function facts(pairs, long = "") {
    const list = make("dl", "", { class: long });
    for (const [name, value] of pairs) {
      if (value !== "" && value !== null && value !== undefined) list.append(make("dt", name), make("dd", String(value)));
    }
    return list;
  }

  const shortened = (number) => (Number.isInteger(number) ? String(number) : String(Number(number.toPrecision(4))));
  const spoken = (left) => left.map((role) => roles[role].replaceAll("_", " ")).join(" + ") || "none";

  function tellAsset(at) {
    const asset = assets[at];
    const passport = asset.passport;
    const parts = [make("h2", asset.name)];
    if (!passport) parts.push(make("p", "Nothing of it is published."));
    else {
      if (passport.withdrawn) parts.push(make("p", "It, or what it was made from, was withdrawn.", { class: "bad" }));
      if (passport.erased) parts.push(make("p", "Somebody in it, or in what it was made from, is erased: it is not read.", { class: "bad" }));
      parts.push(
        make("h3", asset.days ? `Passport of the last of ${asset.days} days` : "Passport"),
        facts([
          ["day", passport.day], ["version", passport.version], ["published", passport.published],
          ["ledger entry", passport.entry], ["rows", passport.rows.toLocaleString("en")],
        ]),
        make("h3", "Declared by"), facts(Object.entries(passport.declared), "long"),
        make("h3", "Digests"), facts(Object.entries(passport.digests), "long"),
      );
      if (Object.keys(passport.inputs).length) parts.push(make("h3", "Made from"), facts(Object.entries(passport.inputs), "long"));
    }
    const kept = asset.findings.filter((one) => one.verdict === "kept").length;
    parts.push(make("h3", `Findings: ${kept} of ${asset.findings.length} kept`));
    const list = make("ul");
    const inOrder = [...asset.findings].sort((one, other) => (one.verdict === "kept") - (other.verdict === "kept"));
    for (const one of inOrder) {
      const numbers = Object.entries(one.numbers).map(([name, value]) => `${name} ${shortened(value)}`).join(", ");
      const verdict = make("span", one.verdict, one.verdict === "kept" ? {} : { class: "bad" });
      list.append(make("li", "", {}, `${one.name}: `, verdict, make("small", numbers), make("small", one.where)));
    }
    parts.push(list);
    panel.replaceChildren(...parts);
  }

  function tellColumn(place) {
    const column = columnAt(place);
    const asset = assets[owner[place]];
    const through = [...new Set(into[place].filter(([, kind]) => kind !== VALUE).map(([other, kind]) => `${nameOf(other)} (${kinds[kind]})`))];
    const counted = (found) => {
      const direct = [...found.values()].filter(Boolean).length;
      return `${found.size} columns of ${new Set([...found.keys()].map((one) => owner[one])).size} assets, ${direct} by value`;
    };
    const parts = [
      make("h2", column.name), make("p", asset.name),
      facts([
        ["type", column.type], ["declared role", column.role.replaceAll("_", " ")], ["role left", spoken(column.left)],
        ["category", column.category], ["technique", column.technique],
        ["it depends on", counted(lit.up)], ["on it depend", counted(lit.down)],
      ]),
    ];
    const values = into[place].filter(([, kind]) => kind === VALUE).map(([other]) => nameOf(other));
    for (const [head, names] of [["Its values come from", values], ["Its rows are decided by", through]]) {
      if (names.length) parts.push(make("h3", head), make("ul", "", {}, ...names.map((name) => make("li", name))));
    }
    panel.replaceChildren(...parts);
  }

  function greet() {
    panel.replaceChildren(
      make("h2", `${assets.length} assets, ${owner.length} columns`),
      make("p", "Open an asset for its columns, its passport and its findings. Click a column for all that it depends on, and all that depends on it."),
    );
  }

  // ---- clicks, keys, filters

  function open(at) {
    if (opened.has(at)) opened.delete(at);
    else opened.add(at);
    chosen = at;
    tellAsset(at);
    draw();
  }

  function light(place) {
    if (place === null) {
      lit = null;
      if (chosen === null) greet();
      else tellAsset(chosen);
    } else {
      const [up, down] = [reach(place, into), reach(place, outOf)];
      const all = new Map([...up, ...down, [place, true]]);
      const places = new Set(all.keys());
      const above = new Set([...up.keys(), place]);
      const below = new Set([...down.keys(), place]);
      // an edge is lit that lies on a way to the column, or on a way from it
      const between = (source, target) =>
        (above.has(source) && above.has(target)) || (below.has(source) && below.has(target));
      const inAsset = (at, set) => assets[at].columns.some((_, number) => set.has(first[at] + number));
      const onward = (source, at) => (above.has(source) && inAsset(at, above)) || (below.has(source) && inAsset(at, below));
      lit = { start: place, up, down, all, between, onward, assets: new Set([...places].map((one) => owner[one])) };
      chosen = null;
      tellColumn(place);
    }
    draw();
  }

  function zoom(to) {
    scale = Math.min(2, Math.max(0.1, to));
    resize();
  }

  function step(key) {
    const every = [...sheet.querySelectorAll(".node:not([hidden]) button")];
    const here = document.activeElement.getBoundingClientRect();
    const boxes = every.map((button) => [button, button.getBoundingClientRect()]);
    const same = (box) => box.left < here.right && here.left < box.right;
    const ahead = {
      ArrowDown: (box) => same(box) && box.top > here.top, ArrowUp: (box) => same(box) && box.top < here.top,
      ArrowRight: (box) => box.left >= here.right, ArrowLeft: (box) => box.right <= here.left,
    }[key];
    const far = (box) => 3 * Math.abs(box.left - here.left) + Math.abs(box.top - here.top);
    const near = boxes.filter(([, box]) => ahead(box)).sort(([, one], [, other]) => far(one) - far(other))[0];
    near?.[0].focus();
  }

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "Escape" && lit) {
      const start = lit.start;
      light(null);
      (drawn[owner[start]].rows.get(start)?.firstChild ?? drawn[owner[start]].button).focus({ preventScroll: true });
    } else if (event.key.startsWith("Arrow") && document.activeElement.closest?.(".node")) {
      event.preventDefault();
      step(event.key);
    }
  });
  for (const name of ["purpose", "dataset", "role"]) find(name).addEventListener("change", draw);
  find("clear").addEventListener("click", () => light(null));
  find("larger").addEventListener("click", () => zoom(scale * 1.25));
  find("smaller").addEventListener("click", () => zoom(scale / 1.25));
  find("fit").addEventListener("click", () => {
    zoom(Math.min(1, corridor.clientWidth / sheet.offsetWidth, corridor.clientHeight / sheet.offsetHeight));
  });

  frame();
  greet();
  draw();
  // the whole corridor is seen at first, where it can still be read then
  zoom(Math.max(LEGIBLE, Math.min(1, corridor.clientWidth / sheet.offsetWidth)));
}

// The gallery: a grid of faces that is one stop of the Tab key. It draws and selects by itself and tells the page what
// was selected or asked for, so that a tick is seen at once.

const REPORT_AFTER_MS = 60;

export default function ({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".gallery");
  const gallery = (root.gallery ??= createGallery(root));
  gallery.send = (value) => setTriggerValue("event", value);
  gallery.show(data);
}

function createGallery(root) {
  const grid = root.querySelector(".grid");
  const state = { faces: [], cells: [], selected: new Set(), revision: null, focused: 0, anchor: 0, pending: [] };
  const gallery = { send: () => {}, show };
  let timer;
  let number = 0;

  function show(data) {
    const keepsFaces = data.faces.length === state.faces.length
      && data.faces.every((face, index) => face.id === state.faces[index].id);
    state.faces = data.faces;
    state.data = data;
    state.pending = state.pending.filter((command) => command.number > data.done);
    number = Math.max(number, data.done);
    if (data.revision !== state.revision) {
      state.selected = new Set(data.selected);
      state.revision = data.revision;
    }
    const hadFocus = grid.contains(root.getRootNode().activeElement);
    if (!keepsFaces) {
      state.focused = state.anchor = Math.max(0, state.faces.findIndex((face) => face.id === state.next));
      build(data);
    }
    state.faces.forEach((face, index) => fill(state.cells[index], face));
    mark();
    if (hadFocus && !keepsFaces) state.cells[state.focused]?.box.focus();
  }

  function build({ faces, notes }) {
    state.cells = faces.map((_, index) => createCell(index));
    grid.classList.toggle("pairs", notes !== null);
    grid.replaceChildren(...(notes === null ? state.cells.map((cell) => cell.box) : notes.map(createPair)));
    grid.setAttribute("aria-label", state.data.title);
  }

  function createPair(note, index) {
    const pair = element("div", "pair");
    const row = element("div", "two");
    const text = element("p", "note");
    text.textContent = note;
    row.append(state.cells[2 * index].box, state.cells[2 * index + 1].box);
    pair.append(row, text);
    return pair;
  }

  function createCell(index) {
    const box = element("div", "cell");
    const picture = element("div", "picture");
    const image = element("img");
    const problem = element("span", "problem");
    const badge = element("span", "badge");
    const title = element("div", "title");
    const tick = element("span", "tick");
    const name = element("span", "name");
    const details = element("div", "details");
    box.setAttribute("role", "option");
    image.loading = "lazy";
    title.append(tick, name);
    picture.append(image, problem, badge);
    box.append(picture, title, details);
    picture.onclick = (event) => (event.shiftKey || event.ctrlKey || event.metaKey ? tickAt(index, event) : open(index));
    title.onclick = details.onclick = (event) => tickAt(index, event);
    box.onmousedown = (event) => event.shiftKey && event.preventDefault(); // no selection of text
    return { box, image, problem, badge, name, details };
  }

  function fill(cell, face) {
    if (cell.image.getAttribute("src") !== face.picture) {
      face.picture ? cell.image.setAttribute("src", face.picture) : cell.image.removeAttribute("src");
    }
    cell.image.hidden = !face.picture;
    cell.image.alt = "";
    cell.problem.textContent = face.picture ? "" : face.problem;
    cell.badge.textContent = face.badge;
    cell.name.textContent = face.title;
    cell.details.replaceChildren(...face.details.map((text) => {
      const line = element("div");
      line.textContent = text;
      return line;
    }));
    cell.box.title = face.path;
    cell.box.classList.toggle("excluded", face.excluded);
    cell.box.setAttribute("aria-label", [face.title, face.badge, ...face.details, face.path].filter(Boolean).join(", "));
  }

  function mark() {
    state.cells.forEach((cell, index) => {
      cell.box.setAttribute("aria-selected", state.selected.has(state.faces[index].id));
      cell.box.tabIndex = index === state.focused ? 0 : -1;
    });
  }

  function tickAt(index, event) {
    focus(index);
    if (event.shiftKey) selectRange(state.anchor, index);
    else toggle(index);
  }

  function toggle(index) {
    const id = state.faces[index].id;
    state.selected.has(id) ? state.selected.delete(id) : state.selected.add(id);
    state.anchor = index;
    changed();
  }

  function selectRange(from, to) {
    for (let index = Math.min(from, to); index <= Math.max(from, to); index++) state.selected.add(state.faces[index].id);
    changed();
  }

  function changed() {
    mark();
    clearTimeout(timer);
    timer = setTimeout(report, REPORT_AFTER_MS);
  }

  function report() {
    clearTimeout(timer);
    gallery.send({ revision: state.revision, selected: [...state.selected], commands: state.pending });
  }

  // Commands are repeated until the page says that they are done: two in quick succession could become one otherwise.
  function command(name, index, label = "") {
    state.pending.push({ number: ++number, name, id: state.faces[index].id, label });
    report();
  }

  // A corrected face may leave the list, so the next one is remembered by its id.
  function correct(name, index, label) {
    command(name, index, label);
    if (state.selected.size || index + 1 >= state.faces.length) return;
    state.next = state.faces[index + 1].id;
    focus(index + 1);
  }

  function open(index) {
    focus(index);
    command("open", index);
  }

  function focus(index) {
    state.focused = index;
    mark();
    state.cells[index].box.focus();
  }

  function columns() {
    const top = state.cells[0].box.getBoundingClientRect().top;
    const second = state.cells.findIndex((cell) => cell.box.getBoundingClientRect().top > top + 1);
    return second < 0 ? state.cells.length : second;
  }

  function move(to, event) {
    const index = Math.min(Math.max(to, 0), state.faces.length - 1);
    if (event.shiftKey) selectRange(state.focused, index);
    else state.anchor = index;
    focus(index);
  }

  grid.addEventListener("focusin", (event) => {
    const index = state.cells.findIndex((cell) => cell.box === event.target);
    if (index >= 0) {
      state.focused = index;
      mark();
    }
  });

  grid.onkeydown = (event) => {
    const at = state.focused;
    const moves = {
      ArrowRight: () => at + 1, ArrowLeft: () => at - 1, ArrowDown: () => at + columns(), ArrowUp: () => at - columns(),
      Home: () => 0, End: () => state.faces.length - 1,
    };
    const keys = { s: () => toggle(at), " ": () => toggle(at), Enter: () => open(at) };
    keys.x = () => correct("exclude", at);
    keys.a = () => correct("ambiguous", at);
    keys.u = () => command("undo", at);
    keys.Escape = () => { state.selected.clear(); changed(); };
    const number = Number(event.key) - 1;
    if (event.key in moves && !event.ctrlKey && !event.metaKey) move(moves[event.key](), event);
    else if ((event.ctrlKey || event.metaKey) && event.key === "a") selectRange(0, state.faces.length - 1);
    else if (event.ctrlKey || event.metaKey || event.altKey) return;
    else if (event.key in keys) keys[event.key]();
    else if (state.data.labels[number]) correct("relabel", at, state.data.labels[number]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  };

  return gallery;
}

function element(tag, className = "") {
  const made = document.createElement(tag);
  made.className = className;
  return made;
}

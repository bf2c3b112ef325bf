// What lies over something else on a page, and what is wider than its place. An expression: a function.
() => {
  const SLACK = 1.5; // pixels: rounding of boxes
  const INK = 0.22; // of a line's height above and below its letters is empty
  const shown = (element) =>
    element.checkVisibility({ contentVisibilityAuto: true, opacityProperty: true, visibilityProperty: true });
  const whole = (element) => element.closest("math") || element; // formulas are laid out by the browser
  const told = (element) => {
    const name = element.className && (element.className.baseVal ?? element.className);
    const text = element.textContent.trim().replace(/\s+/g, " ").slice(0, 40);
    return `<${element.localName}${name ? "." + String(name).split(" ")[0] : ""}> '${text}'`;
  };

  // Pieces of text, line by line, as far as they are not cut off by a box that scrolls.
  const clips = new Map();
  const clipping = (element) => {
    if (!element || element === document.body || element === document.documentElement) return null;
    if (!clips.has(element)) clips.set(element, clipped(element));
    return clips.get(element);
  };
  const clipped = (element) => {
    const above = clipping(element.parentElement);
    if (element instanceof MathMLElement) return above;
    if (element instanceof SVGElement && element.localName !== "svg") return above;
    const style = getComputedStyle(element);
    if (style.overflowX === "visible" && style.overflowY === "visible") return above;
    return cut(element.getBoundingClientRect(), above);
  };
  const cut = ({ left, right, top, bottom }, clip) => ({
    left: Math.max(left, clip?.left ?? left), right: Math.min(right, clip?.right ?? right),
    top: Math.max(top, clip?.top ?? top), bottom: Math.min(bottom, clip?.bottom ?? bottom),
  });
  const pieces = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    const element = node.parentElement;
    if (!node.data.trim() || !shown(element) || element.closest("style, script, title, template")) continue;
    const range = document.createRange();
    range.selectNodeContents(node);
    for (const line of range.getClientRects()) {
      const box = cut(line, clipping(element));
      const inset = INK * (line.bottom - line.top);
      box.top += inset;
      box.bottom -= inset;
      if (box.right - box.left > SLACK && box.bottom - box.top > SLACK) pieces.push({ box, node, of: whole(element) });
    }
  }
  const over = (a, b) =>
    Math.min(a.right, b.right) - Math.max(a.left, b.left) > SLACK &&
    Math.min(a.bottom, b.bottom) - Math.max(a.top, b.top) > SLACK;
  pieces.sort((a, b) => a.box.top - b.box.top);
  const overlaps = new Set();
  for (let i = 0; i < pieces.length; i++) {
    for (let j = i + 1; j < pieces.length && pieces[j].box.top < pieces[i].box.bottom; j++) {
      const [a, b] = [pieces[i], pieces[j]];
      const same = a.node === b.node || (a.of === b.of && a.of.localName === "math");
      if (!same && over(a.box, b.box)) {
        overlaps.add(`'${a.node.data.trim().slice(0, 40)}' and '${b.node.data.trim().slice(0, 40)}'`);
      }
    }
  }

  // Boxes beside each other in the flow of the page.
  const flows = (element) => {
    const style = getComputedStyle(element);
    const block = style.display !== "inline" && style.display !== "contents" && style.display !== "none";
    return block && style.position !== "absolute" && style.position !== "fixed" && style.float === "none";
  };
  const drawn = (element) => element instanceof SVGElement || element.closest("math");
  for (const parent of document.body.querySelectorAll("*")) {
    if (drawn(parent)) continue;
    const children = [...parent.children].filter((c) => !drawn(c) && shown(c) && flows(c));
    const boxes = children.map((c) => c.getBoundingClientRect()).filter((b) => b.width && b.height);
    for (let i = 1; i < boxes.length; i++) {
      if (over(boxes[i - 1], boxes[i])) overlaps.add(`${told(children[i - 1])} and ${told(children[i])}`);
    }
  }

  // What sticks out to the right of the page, or is cut off where nobody can scroll to it.
  const wide = new Set();
  const page = document.documentElement.clientWidth;
  const scrolls = (e) => e && (["auto", "scroll"].includes(getComputedStyle(e).overflowX) || scrolls(e.parentElement));
  for (const element of document.body.querySelectorAll("*")) {
    if (!shown(element)) continue;
    const box = element.getBoundingClientRect();
    if (box.width && (box.right > page + SLACK || box.left < -SLACK) && !scrolls(element.parentElement)) {
      wide.add(`${told(element)} reaches from ${Math.round(box.left)} to ${Math.round(box.right)} of ${page}`);
    }
    const hidden = !drawn(element) && getComputedStyle(element).overflowX === "hidden";
    if (hidden && element.scrollWidth > element.clientWidth + SLACK) wide.add(`${told(element)} is cut off`);
  }
  if (document.documentElement.scrollWidth > page + SLACK) {
    wide.add(`the page is ${document.documentElement.scrollWidth} wide, its window ${page}`);
  }
  return { overlaps: [...overlaps], wide: [...wide] };
}

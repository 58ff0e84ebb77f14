"use strict";
(() => {
  const section = document.getElementById("explore");
  const data = JSON.parse(document.getElementById("trajectories").textContent);
  const canvas = section.querySelector("canvas");
  const boxes = [...section.querySelectorAll("input[type=checkbox]")];
  const pen = canvas.getContext("2d");
  const start = { turn: -0.9, tilt: 0.42, zoom: 1 };
  const view = { ...start };
  const low = [0, 0, 0], high = [0, 0, 0];
  for (const track of data.tracks)
    for (let k = 1; k < track.length; k++) {
      const axis = (k - 1) % 3;
      low[axis] = Math.min(low[axis], track[k]);
      high[axis] = Math.max(high[axis], track[k]);
    }
  const center = low.map((value, axis) => (value + high[axis]) / 2);
  const radius = Math.hypot(...low.map((value, axis) => high[axis] - value)) / 2 || 1;

  function camera() {
    const [s, c, st, ct] = [Math.sin(view.turn), Math.cos(view.turn), Math.sin(view.tilt), Math.cos(view.tilt)];
    const scale = view.zoom * Math.min(canvas.width, canvas.height) / 2.1 / radius;
    return (x, y, z) => {
      const [a, b, d] = [x - center[0], y - center[1], z - center[2]];
      return [
        canvas.width / 2 + scale * (-s * a + c * b),
        canvas.height / 2 - scale * (-st * c * a - st * s * b + ct * d),
        ct * c * a + ct * s * b + st * d,
      ];
    };
  }

  function draw() {
    const ratio = window.devicePixelRatio || 1;
    const bounds = canvas.getBoundingClientRect();
    canvas.width = Math.round(bounds.width * ratio);
    canvas.height = Math.round(bounds.height * ratio);
    pen.fillStyle = "#FFFFFF";
    pen.fillRect(0, 0, canvas.width, canvas.height);
    const see = camera();
    // The box around the trajectories, and the names of its axes.
    pen.strokeStyle = "#BBBBBB";
    pen.lineWidth = ratio;
    pen.fillStyle = "#444444";
    pen.font = `${13 * ratio}px sans-serif`;
    const corner = (bits) => see(...[0, 1, 2].map((axis) => (bits >> axis & 1 ? high : low)[axis]));
    for (let bits = 0; bits < 8; bits++)
      for (let axis = 0; axis < 3; axis++)
        if (!(bits >> axis & 1)) {
          const [a, b] = [corner(bits), corner(bits | 1 << axis)];
          pen.beginPath();
          pen.moveTo(a[0], a[1]);
          pen.lineTo(b[0], b[1]);
          pen.stroke();
          if (bits === 0) pen.fillText(data.labels[axis], (a[0] + 2 * b[0]) / 3, (a[1] + 2 * b[1]) / 3);
        }
    const shown = data.tracks
      .filter((track) => boxes[track[0]].checked)
      .map((track) => {
        const points = [see(0, 0, 0)];
        for (let k = 1; k < track.length; k += 3) points.push(see(track[k], track[k + 1], track[k + 2]));
        return { color: data.colors[track[0]], points, near: points.reduce((sum, p) => sum + p[2], 0) };
      })
      .sort((a, b) => a.near - b.near);
    pen.lineWidth = 1.2 * ratio;
    pen.lineJoin = "round";
    for (const { color, points } of shown) {
      pen.strokeStyle = pen.fillStyle = color;
      pen.beginPath();
      points.forEach(([x, y], k) => (k ? pen.lineTo(x, y) : pen.moveTo(x, y)));
      pen.stroke();
      const [x, y] = points[points.length - 1];
      pen.beginPath();
      pen.arc(x, y, 2.4 * ratio, 0, 2 * Math.PI);
      pen.fill();
    }
    section.querySelector("output").textContent = `${shown.length} of ${data.tracks.length} trajectories shown`;
  }

  let waiting = false;
  function update() {
    if (waiting) return;
    waiting = true;
    requestAnimationFrame(() => {
      waiting = false;
      draw();
    });
  }
  function turn(right, up) {
    view.turn -= right;
    view.tilt = Math.max(-1.55, Math.min(1.55, view.tilt + up));
    update();
  }
  canvas.addEventListener("pointerdown", (event) => canvas.setPointerCapture(event.pointerId));
  canvas.addEventListener("pointermove", (event) => {
    if (canvas.hasPointerCapture(event.pointerId)) turn(event.movementX / 180, event.movementY / 180);
  });
  canvas.addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    view.zoom *= Math.exp(-event.deltaY / 400);
    update();
  }, { passive: false });
  const keys = {
    ArrowLeft: () => turn(-0.1, 0),
    ArrowRight: () => turn(0.1, 0),
    ArrowUp: () => turn(0, -0.1),
    ArrowDown: () => turn(0, 0.1),
    "+": () => { view.zoom *= 1.15; update(); },
    "-": () => { view.zoom /= 1.15; update(); },
    Home: () => { Object.assign(view, start); update(); },
  };
  canvas.addEventListener("keydown", (event) => {
    if (!keys[event.key]) return;
    event.preventDefault();
    keys[event.key]();
  });
  section.querySelector("button").addEventListener("click", keys.Home);
  boxes.forEach((box) => box.addEventListener("change", update));
  window.addEventListener("resize", update);
  section.hidden = false;
  draw();
})();

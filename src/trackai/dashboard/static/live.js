// Keeps the newest events on the page: the server sends them whenever they change.
(() => {
  const box = document.querySelector("[data-live]");
  const list = document.getElementById("live");
  const said = box.querySelector("[role=status]");
  const button = box.querySelector("button");
  let source = null;
  let paused = false;

  const say = (word) => {
    if (said.dataset.word === word) return;
    said.dataset.word = word;
    said.textContent = said.dataset[word];
    said.className = word === "on" ? "state good" : "state";
  };

  const ids = () => new Set([...list.querySelectorAll("[id^=event-]")].map((one) => one.id));

  const show = (html) => {
    const before = ids();
    const focused = document.activeElement?.closest("#live [id^=event-]")?.id;
    list.innerHTML = html;
    if (before.size) {
      for (const id of ids()) if (!before.has(id)) document.getElementById(id).classList.add("new");
    }
    if (focused) document.getElementById(focused)?.querySelector("a")?.focus({ preventScroll: true });
  };

  const stop = () => {
    source?.close();
    source = null;
  };

  const start = () => {
    stop();
    source = new EventSource(box.dataset.live);
    source.onmessage = (event) => {
      say("on");
      show(event.data);
    };
    source.onopen = () => say("on");
    // The browser comes again by itself, unless it is told not to: nobody is signed in any more.
    source.onerror = () => say(source?.readyState === EventSource.CLOSED ? "ended" : "lost");
  };

  const look = () => {
    if (paused || document.hidden) stop();
    else if (!source) start();
    if (paused) say("off");
    button.textContent = paused ? button.dataset.goOn : button.dataset.pause;
  };

  button.hidden = false;
  button.addEventListener("click", () => {
    paused = !paused;
    look();
  });
  document.addEventListener("visibilitychange", look);
  look();
})();

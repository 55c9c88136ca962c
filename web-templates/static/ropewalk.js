// Ropewalk: what a page can do more when scripts are allowed. Every page works without this file; it
// loads nothing from elsewhere and writes only HTML that this server has rendered.
"use strict";
(() => {
  const $ = (selector, within = document) => within.querySelector(selector);
  const $$ = (selector, within = document) => [...within.querySelectorAll(selector)];
  const phrases = ($("#phrases") || { dataset: {} }).dataset;
  const announce = (text) => { const place = $("#announce"); if (place) place.textContent = text; };
  const remembered = (name) => { try { return localStorage.getItem("ropewalk-" + name); } catch { return null; } };
  const remember = (name, value) => { try { localStorage.setItem("ropewalk-" + name, value); } catch { /* private window */ } };

  // What only works with scripts is shown; what is only needed without them is taken away.
  const reveal = (within) => {
    $$(".needs-script", within).forEach((e) => { e.hidden = false; });
    $$(".no-script", within).forEach((e) => { e.hidden = true; });
  };
  reveal(document);
  // On a narrow screen the place one is at may lie outside of its row.
  for (const here of $$(".tabs [aria-current], .top-nav [aria-current]")) here.parentElement.scrollLeft = here.offsetLeft - here.parentElement.offsetLeft - 24;
  document.addEventListener("change", (event) => {
    const field = event.target;
    if (field.matches("[data-submit], #language")) field.form.requestSubmit();
  });

  // Where the reader is stays in sight when tabs do not all fit.
  $$(".top-nav [aria-current], .tabs [aria-current]").forEach((tab) => {
    const bar = tab.parentElement;
    bar.scrollLeft = tab.offsetLeft - bar.offsetLeft - (bar.clientWidth - tab.offsetWidth) / 2;
  });

  // ---- Times ----
  const put = (phrase, a, b) => phrase.replace("{a}", a).replace("{b}", b);
  const spoken = (seconds) => {
    if (seconds < 60) return put(phrases.s, seconds);
    if (seconds < 3600) return put(phrases.ms, Math.floor(seconds / 60), seconds % 60);
    return put(phrases.hm, Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60);
  };
  const loaded = Date.now();
  const refreshTimes = () => {
    for (const time of $$("time[datetime]")) {
      const seconds = (Date.now() - Date.parse(time.dateTime)) / 1000;
      if (seconds >= 0 && seconds < 45) time.textContent = phrases.now;
      else if (seconds >= 45 && seconds < 3570) time.textContent = put(phrases.minutes, Math.round(seconds / 60));
      else if (seconds >= 3570 && seconds < 84600) time.textContent = put(phrases.hours, Math.round(seconds / 3600));
    }
  };
  const tickDurations = () => {
    for (const place of $$("[data-running]")) {
      place.since ??= (place.isFresh || loaded) - Number(place.dataset.running) * 1000;
      place.textContent = spoken(Math.max(0, Math.floor((Date.now() - place.since) / 1000)));
    }
  };
  // What is left of a run, by what its stages usually take.
  const tickExpected = () => {
    for (const place of $$(".expected")) {
      const passed = Math.floor((Date.now() - (place.isFresh || loaded)) / 1000);
      const [left, taken] = [Number(place.dataset.left), Number(place.dataset.taken)];
      $("progress", place).value = Math.min(99, Math.floor(((taken + passed) * 100) / Math.max(1, taken + Math.max(left, passed))));
      $(".expected-words", place).textContent = left > passed ? phrases.left.replace("{a}", spoken(left - passed)) : phrases.longer;
    }
  };
  if (phrases.minutes) { setInterval(refreshTimes, 20000); setInterval(tickDurations, 1000); setInterval(tickExpected, 1000); }

  // ---- Copying ----
  const copy = async (button) => {
    const text = button.dataset.copy;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      // Without TLS there is no clipboard object; the old way still works.
      const field = document.createElement("textarea");
      field.value = text;
      field.className = "visually-hidden";
      document.body.append(field);
      field.select();
      document.execCommand("copy");
      field.remove();
      button.focus();
    }
    button.classList.add("is-done");
    announce(phrases.copied);
    setTimeout(() => button.classList.remove("is-done"), 1500);
  };

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-copy], [data-open], [data-toggle]");
    if (button?.dataset.copy !== undefined) copy(button);
    if (button?.dataset.open) $("#" + button.dataset.open).showModal();
    if (button?.dataset.toggle === "times") toggleTimes();
    if (button?.dataset.toggle === "follow") setFollow(!following);
    const link = event.target.closest("[data-stage-link]");
    if (link) { setFollow(false); openStage(link.dataset.stageLink); }
    // Opened or closed by hand: it stays so.
    const summary = event.target.closest(".stage > summary");
    if (summary) summary.closest("[data-stage]").dataset.kept = "";
    const number = event.target.closest(".log a.n");
    if (number && event.shiftKey) { event.preventDefault(); selectRange(number); }
    const menu = $(".menu[open]");
    if (menu && !menu.contains(event.target)) menu.open = false;
  });
  document.addEventListener("submit", (event) => {
    const asked = event.target.dataset.confirm;
    const question = asked === "cancel" ? phrases.confirmCancel : asked === "rerun" ? phrases.confirmRerun : null;
    if (question && !window.confirm(question)) { event.preventDefault(); return; }
    // Pressed twice, sent once; after a while it may be meant.
    const form = event.target;
    if (form.method !== "post") return;
    if (Date.now() - (form.sentAt ?? 0) < 3000) event.preventDefault();
    else form.sentAt = Date.now();
  });

  // ---- Lines: #s2-L120 and #s2-L120-L140 ----
  const openStage = (index) => { const stage = $("#stage-" + index + " > details"); if (stage) stage.open = true; };
  const lineOf = (id) => { const found = /^s(\d+)-L(\d+)$/.exec(id); return found ? [Number(found[1]), Number(found[2])] : null; };
  let range = null;
  const inRange = (stage, n) => range && range.stage === stage && n >= range.from && n <= range.to;
  const showHash = () => {
    $$(".log .in-range").forEach((line) => line.classList.remove("in-range"));
    const found = /^#s(\d+)-L(\d+)(?:-L(\d+))?$/.exec(location.hash);
    range = null;
    if (!found) return;
    const ends = [Number(found[2]), Number(found[3] || found[2])].sort((x, y) => x - y);
    range = { stage: Number(found[1]), from: ends[0], to: ends[1] };
    openStage(range.stage);
    for (let n = range.from; n <= range.to && n < range.from + 5000; n += 1) {
      document.getElementById(`s${range.stage}-L${n}`)?.classList.add("in-range");
    }
    const line = document.getElementById(`s${range.stage}-L${range.from}`);
    if (!line) { elsewhere(); return; }
    setFollow(false);
    line.closest(".step").open = true;
    line.scrollIntoView({ block: "center" });
  };
  // A line of a log of which this page shows another part.
  const elsewhere = () => {
    const numbers = $$(`#stage-${range.stage} .log .l`).map((line) => lineOf(line.id)[1]);
    const wanted = `?stage=${range.stage}&line=${range.from}`;
    const before = numbers.length > 0 && range.from < numbers[0];
    if ((before || (numbers.length > 0 && !live)) && location.search !== wanted) location.replace(wanted + location.hash);
  };
  const selectRange = (link) => {
    const here = lineOf(link.hash.slice(1));
    const first = /^#s(\d+)-L(\d+)/.exec(location.hash);
    if (!here || !first || Number(first[1]) !== here[0]) { location.hash = link.hash; return; }
    const [a, b] = [Number(first[2]), here[1]].sort((x, y) => x - y);
    location.hash = `#s${here[0]}-L${a}-L${b}`;
  };
  addEventListener("hashchange", showHash);

  let live = null;

  // ---- Following a log ----
  let following = false;
  const setFollow = (on) => {
    following = on;
    $('[data-toggle="follow"]')?.setAttribute("aria-pressed", String(on));
    if (on) toBottom();
  };
  // The stage whose log is growing, not the end of the page.
  const bottomOfLog = () => $$(".stage[open] .log").filter((log) => log.childElementCount > 0).pop();
  const toBottom = () => bottomOfLog()?.lastElementChild?.scrollIntoView({ block: "end" });
  const nearBottom = () => {
    const last = bottomOfLog()?.lastElementChild;
    return !last || last.getBoundingClientRect().bottom <= innerHeight + 5;
  };
  // Up is away from the end, by wheel, key, finger or scroll bar; back at the end the page goes along again.
  let lastY = scrollY;
  addEventListener("wheel", (event) => { if (event.deltaY < 0 && following) setFollow(false); }, { passive: true });
  addEventListener("scroll", () => {
    const up = scrollY < lastY - 2;
    lastY = scrollY;
    if (following && up && !nearBottom()) setFollow(false);
    else if (!following && !up && live && nearBottom() && scrollY > 0) setFollow(true);
  }, { passive: true });
  const toggleTimes = (on = !document.body.classList.contains("show-times")) => {
    document.body.classList.toggle("show-times", on);
    $('[data-toggle="times"]')?.setAttribute("aria-pressed", String(on));
    remember("times", on ? "1" : "");
  };
  if (remembered("times") === "1") toggleTimes(true);

  // Events of the stream, data as JSON:
  //   swap  {id, html}                 an element's content, rendered anew; "live" is the part of a list that changes
  //   stage {id, html}                 the frame of a stage that began or ended; the log in it is kept
  //   step  {stage, html}              a step that begins, or its end: replaces the element of the same id, keeping its log
  //   lines {stage, step, html, partial}  whole lines to append; the unfinished line after them, or ""
  //   clear {stage, line}              so much is new that it goes on at that line, with nothing before it
  //   end   {}                         nothing more will come
  // The stream's ids carry the places of all stages; the browser sends the last one back by itself.
  const fresh = (html) => {
    const box = document.createElement("template");
    box.innerHTML = html;
    $$("[data-running], .expected", box.content).forEach((e) => { e.isFresh = Date.now(); });
    reveal(box.content);
    return box.content;
  };
  const swap = ({ id, html }) => {
    const place = document.getElementById(id);
    if (!place) return;
    // What somebody has marked, to copy it, stays until they are done; only the newest waits.
    if (id === "live" && isMarked(place)) { place.waiting = html; return; }
    // A person's choice of what is open is kept.
    const open = $(":scope > details", place)?.open;
    const [held, here, known] = [document.activeElement, lineInSight(place), new Set(saidIn(place).keys())];
    const again = place.contains(held) && alike(held);
    const marked = current && place.contains(current) && current.id;
    place.replaceChildren(fresh(html));
    if (open && $(":scope > details", place)) $(":scope > details", place).open = true;
    if (again) again(place)?.focus({ preventScroll: true });
    if (marked) { current = document.getElementById(marked); current?.classList.add("is-current-line"); }
    if (here) scrollBy(0, (document.getElementById(here.id)?.getBoundingClientRect().top ?? here.top) - here.top);
    if (id === "live") tell([...saidIn(place)].filter(([key]) => !known.has(key)).map(([, text]) => text));
    if (id === "run-head") headChanged();
  };
  const isMarked = (place) => { const at = getSelection(); return at?.type === "Range" && at.containsNode(place, true); };
  document.addEventListener("selectionchange", () => {
    const place = document.getElementById("live");
    if (place?.waiting === undefined || isMarked(place)) return;
    const html = place.waiting;
    place.waiting = undefined;
    swap({ id: "live", html });
  });
  // The same control in what has come instead, in the same line if that is still there.
  const alike = (old) => {
    const [line, key, href, words] = [old.closest("[id]")?.id, old.dataset.key, old.getAttribute("href"), old.textContent];
    const isSame = (e) => key ? e.dataset.key === key : href ? e.getAttribute("href") === href : e.textContent === words;
    return (place) => {
      const all = $$(old.tagName, place).filter(isSame);
      return all.find((e) => e.closest("[id]")?.id === line) || all[0];
    };
  };
  // Whoever has read on does not lose their line when new ones come above it.
  const lineInSight = (place) => {
    const line = scrollY > 0 && $$("[data-line][id]", place).find((e) => e.getBoundingClientRect().top >= 0);
    return line ? { id: line.id, top: line.getBoundingClientRect().top } : null;
  };
  // What may be said aloud when it is new, by where it stands.
  const saidIn = (place) => new Map($$("[data-say]", place).map((e) => {
    const text = e.dataset.say || e.textContent.replace(/\s+/g, " ").trim();
    return [(e.closest("[data-line]")?.id || "") + text, text];
  }));
  const SAID_AT_ONCE = 3;
  const tell = (news) => {
    if (!news.length) return;
    const rest = news.length - SAID_AT_ONCE;
    announce(news.slice(0, SAID_AT_ONCE).join(". ") + (rest > 0 ? ". " + put(phrases.more, rest) : ""));
  };
  const stageChanged = ({ id, html }) => {
    const place = document.getElementById("stage-" + id);
    const next = fresh(html).firstElementChild;
    if (!place) return;
    const old = place.firstElementChild;
    // What was written into it stays, and so does a person's choice of what is open.
    if ($(".step", old)) { $(".stage-body", next).replaceWith($(".stage-body", old)); next.open = next.open || old.open; }
    if (place.dataset.kept !== undefined) next.open = old.open;
    place.replaceChildren(next);
    if (following && next.matches(".is-running")) closePassed(place);
  };
  // Whoever follows sees the stage that goes on; what has passed is out of the way.
  const closePassed = (place) => {
    for (const other of $$("[data-stage]:not([data-kept]) > .stage.is-passed[open]")) {
      if (other.parentElement !== place) other.open = false;
    }
    toBottom();
  };
  const step = ({ stage, html }) => {
    const content = fresh(html);
    const next = content.firstElementChild;
    const old = document.getElementById(next.id);
    if (old) {
      $(".log", next).replaceWith($(".log", old));
      next.open = old.open;
      old.replaceWith(next);
    } else {
      const body = $(`#stage-${stage} .stage-body`);
      $(":scope > .soft.pad", body)?.remove();
      body?.append(next);
    }
  };
  // Lines of one step that are kept on the page, and how many go at a time.
  const MOST = 12000;
  const LEAVE = 8000;
  const lines = ({ stage, step: index, html, partial }) => {
    const log = $(`[data-log="${stage}-${index}"]`);
    if (!log) return;
    log.unfinished?.remove();
    log.unfinished = null;
    for (const part of [html, partial]) {
      if (!part) continue;
      const content = fresh(part);
      // A line that was shown without its end comes again.
      document.getElementById(content.firstElementChild.id)?.remove();
      if (range?.stage === stage) {
        for (const line of content.children) if (inRange(stage, lineOf(line.id)[1])) line.classList.add("in-range");
      }
      log.append(content);
    }
    if (partial) log.unfinished = log.lastElementChild;
    if (following && log.childElementCount > MOST) {
      while (log.childElementCount > LEAVE) log.firstElementChild.remove();
      showEarlier(stage, lineOf(log.firstElementChild.id)[1]);
    }
    if (following) toBottom();
  };
  const clear = ({ stage, line }) => {
    $$(`#stage-${stage} .log`).forEach((log) => { log.replaceChildren(); log.unfinished = null; });
    showEarlier(stage, line);
  };
  // The way to what was on the page before, or never was.
  const showEarlier = (stage, line) => {
    const link = $(`#stage-${stage} [data-earlier]`);
    if (!link) return;
    link.href = `?stage=${stage}&line=${Math.max(1, line - 4900)}#stage-${stage}`;
    link.hidden = false;
  };
  const headChanged = () => {
    const head = $("#run-head [data-status]");
    if (!head) return;
    const { status, title } = head.dataset;
    document.title = title + document.title.slice(document.title.indexOf(" - "));
    const icons = document.body.dataset;
    const kind = { passed: "Passed", failed: "Failed", lost: "Failed", unstable: "Failed", running: "Running", queued: "Running", waiting: "Running" }[status] || "Other";
    $('link[rel="icon"]').href = icons["favicon" + kind];
    if (status !== lastStatus) { lastStatus = status; announce(title); }
  };
  let lastStatus = $("#run-head [data-status]")?.dataset.status;
  let lastId = "";
  let wait = 1000;
  let isOver = false;
  const connect = () => {
    const address = new URL(document.body.dataset.live, location.href);
    address.searchParams.set("from", lastId);
    live = new EventSource(address);
    const on = (name, act) => live.addEventListener(name, (event) => { lastId = event.lastEventId; act(JSON.parse(event.data)); });
    on("swap", swap);
    on("stage", stageChanged);
    on("step", step);
    on("lines", lines);
    on("clear", clear);
    on("end", () => {
      live.close();
      [live, isOver, following] = [null, true, false];
      const button = $('[data-toggle="follow"]');
      if (button) button.hidden = true;
    });
    live.addEventListener("open", () => { wait = 1000; $("#lost").hidden = true; });
    live.addEventListener("error", () => {
      $("#lost").hidden = false;
      // The browser itself tries again after a broken connection, but not after an answer it did not expect.
      if (live?.readyState !== EventSource.CLOSED) return;
      live = null;
      setTimeout(() => { if (!live && !isOver && (!isPart || !document.hidden)) connect(); }, wait);
      wait = Math.min(wait * 2, 30000);
    });
  };
  // A page with one part that changes, against a run's page. A browser has few connections to one server: such a
  // page has one while it is looked at.
  const isPart = document.body.dataset.from !== undefined;
  if (isPart && window.EventSource) {
    lastId = document.body.dataset.from;
    if (!document.hidden) connect();
    document.addEventListener("visibilitychange", () => {
      if (document.hidden) { live?.close(); live = null; } else if (!live && !isOver) connect();
    });
  } else if (document.body.dataset.live && window.EventSource) {
    lastId = $$("[data-stage]").map((e) => `${e.dataset.stage}:${e.dataset.place}`).join(",");
    connect();
    setFollow(!location.hash);
  }

  // ---- Lists: kept current, sooner while something goes on ----
  const refresh = async () => {
    const main = $("main");
    const isBusy = document.hidden || getSelection()?.type === "Range" || $("details[open]", main)
      || (main.contains(document.activeElement) && document.activeElement !== main);
    if (!isBusy) {
      try {
        const answer = await fetch(location.href);
        const fresh = answer.ok && !answer.redirected && $("main", new DOMParser().parseFromString(await answer.text(), "text/html"));
        if (fresh && !(main.contains(document.activeElement) && document.activeElement !== main)) {
          const notices = $$(":scope > .notice", main);
          reveal(fresh);
          main.replaceChildren(...notices, ...fresh.childNodes);
        }
      } catch { /* The server is away; it will be asked again. */ }
    }
    refreshLater();
  };
  const refreshLater = () => setTimeout(refresh, $("main .is-running, main .is-queued, main .is-waiting") ? 3000 : 30000);
  if (document.body.dataset.refresh !== undefined) refreshLater();

  // ---- Finding in the log ----
  let found = [];
  let foundAt = -1;
  const find = (text) => {
    found.forEach((line) => line.classList.remove("found", "is-current-line"));
    const wanted = text.toLowerCase();
    found = wanted ? $$(".log .l").filter((line) => line.lastElementChild.textContent.toLowerCase().includes(wanted)) : [];
    found.forEach((line) => line.classList.add("found"));
    foundAt = -1;
    $("#find-count").textContent = wanted ? String(found.length) : "";
  };
  const showFound = (step) => {
    if (!found.length) return;
    found[foundAt]?.classList.remove("is-current-line");
    foundAt = (foundAt + step + found.length) % found.length;
    const line = found[foundAt];
    line.closest(".stage").open = true;
    line.closest(".step").open = true;
    line.classList.add("is-current-line");
    line.scrollIntoView({ block: "center" });
    $("#find-count").textContent = `${foundAt + 1} / ${found.length}`;
  };
  const finder = $("[data-find]");
  if (finder) {
    finder.addEventListener("input", () => find(finder.querySelector("input").value));
    finder.addEventListener("submit", (event) => { event.preventDefault(); setFollow(false); showFound(1); });
  }

  // ---- Keys ----
  let current = null;
  let lastG = 0;
  const move = (by) => {
    const all = $$(".stage[open] .step[open] .log .l").length ? $$(".stage[open] .step[open] .log .l") : $$("[data-line]");
    if (!all.length) return;
    setFollow(false);
    const at = current && current.isConnected ? all.indexOf(current) : -1;
    current?.classList.remove("is-current-line");
    current = all[Math.min(all.length - 1, Math.max(0, at + by))];
    current.classList.add("is-current-line");
    current.scrollIntoView({ block: "nearest" });
    const link = $("a", current);
    if (link) link.focus({ preventScroll: true });
  };
  const press = (key) => {
    const target = $(`[data-key="${key}"]`);
    if (!target) return false;
    if (target.matches("input, textarea")) { target.focus(); target.select(); } else target.click();
    return true;
  };
  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && event.target.matches("input")) event.target.blur();
    const menu = event.key === "Escape" && $(".menu[open]");
    if (menu) { menu.open = false; $("summary", menu).focus(); }
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, textarea, select") || $("dialog[open]")) return;
    const key = event.key;
    let used = true;
    if (key === "?") $("#keys").showModal();
    else if (key === "j") move(1);
    else if (key === "k") move(-1);
    else if (key === "G") { toBottom(); if (!bottomOfLog()) scrollTo(0, document.body.scrollHeight); }
    else if (key === "g") { if (event.timeStamp - lastG < 600) { setFollow(false); scrollTo(0, 0); } lastG = event.timeStamp; }
    else if (key === "f" && $('[data-toggle="follow"]')) setFollow(!following);
    else if (key === "t" && $('[data-toggle="times"]')) toggleTimes();
    else if (["h", "l", "r", "x", "/"].includes(key)) used = press(key);
    else used = false;
    if (used) event.preventDefault();
  });

  showHash();
})();

// Says that the live link is lost, and since when, rather than showing old
// figures as if they were new.
export function startLive() {
  const notice = document.querySelector("[data-live-lost]");
  if (!notice) return;
  let heard = new Date();
  let waiting = 0;

  const say = () => {
    const since = heard.toLocaleTimeString(document.documentElement.lang, { hour: "2-digit", minute: "2-digit", second: "2-digit" });
    notice.textContent = notice.dataset.liveLost.replace("%s", since);
    document.body.classList.add("live-stale");
  };
  const lost = () => {
    // A short break is not worth a fright.
    if (!waiting) waiting = setTimeout(say, 4000);
  };
  const found = () => {
    heard = new Date();
    clearTimeout(waiting);
    waiting = 0;
    if (!notice.textContent) return;
    document.body.classList.remove("live-stale");
    notice.textContent = notice.dataset.liveBack;
    setTimeout(() => {
      if (!waiting) notice.textContent = "";
    }, 4000);
  };
  document.addEventListener("htmx:sseError", lost);
  document.addEventListener("htmx:sseOpen", found);
  document.addEventListener("htmx:sseMessage", found);
  window.addEventListener("offline", lost);
}

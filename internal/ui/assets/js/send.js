// A double click sends a form once.
export function startOnce() {
  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form.method !== "post" || event.defaultPrevented) return;
    if (form.dataset.sent) {
      event.preventDefault();
      return;
    }
    form.dataset.sent = "yes";
    setTimeout(() => delete form.dataset.sent, 5000);
  });
  // Back brings the page as it was left.
  window.addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  });
}

// Sends a form with files and shows how far it is. Without script the browser
// sends it by itself.
export function startUpload(form) {
  const note = form.querySelector("[data-upload-note]");
  if (!note) return;
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const request = new XMLHttpRequest();
    request.open("POST", form.action);
    request.setRequestHeader("HX-Request", "true");
    request.upload.addEventListener("progress", (step) => {
      if (!step.lengthComputable) return;
      const percent = Math.floor((step.loaded / step.total) * 100);
      note.hidden = false;
      note.querySelector("progress").value = percent;
      note.querySelector("span").textContent = note.dataset.uploadNote.replace("%p", percent);
    });
    request.addEventListener("load", () => arrived(request, form));
    // Not sent: let the browser try and say why.
    request.addEventListener("error", () => form.submit());
    request.send(new FormData(form));
  });
}

function arrived(request, form) {
  const next = request.getResponseHeader("HX-Redirect");
  if (next) {
    location.assign(next);
    return;
  }
  delete form.dataset.sent;
  const page = new DOMParser().parseFromString(request.responseText, "text/html");
  const main = document.querySelector("main");
  const answer = page.querySelector("main");
  if (answer) main.replaceChildren(...answer.childNodes);
  else document.getElementById("notices").innerHTML = request.responseText;
  window.htmx.process(main);
  main.dispatchEvent(new CustomEvent("htmx:load", { bubbles: true }));
}

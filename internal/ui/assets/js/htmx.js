import htmx from "htmx.org";

// The event-stream extension and the pages' own bundles look for it here.
window.htmx = htmx;

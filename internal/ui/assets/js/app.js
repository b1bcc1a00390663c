// Scripts add life to pages that are useful without them.
import "./htmx.js";
import "htmx-ext-sse";
import { each } from "./each.js";
import { startBubble } from "./bubble.js";
import { startClocks } from "./clocks.js";
import { startCounter } from "./sms.js";
import { startDialogs, startMenus, startSearch } from "./frame.js";
import { startFilter } from "./filter.js";
import { startHold } from "./hold.js";
import { startLive } from "./live.js";
import { startPasskey } from "./passkey.js";
import { startUpload, startOnce } from "./send.js";
import { startChosen, focusSummary } from "./forms.js";

startMenus();
startSearch();
startDialogs();
startClocks();
startLive();
startOnce();
startChosen();

each("[data-hold]", startHold);
each("textarea[data-sms]", startCounter);
each("textarea[data-bubble]", startBubble);
each("[data-filter]", startFilter);
each("[data-passkey]", startPasskey);
each("form[data-upload]", startUpload);
each("[data-focus]", focusSummary);

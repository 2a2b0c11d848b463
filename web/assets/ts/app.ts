// On every page. Small things that make server-rendered pages local to their reader.
import { dialogs } from "./shared/dialogs";
import { forms } from "./shared/forms";
import { menus } from "./shared/menus";
import { localTimes } from "./shared/times";
import { toasts } from "./shared/toasts";

localTimes(document);
forms(document);
menus();
dialogs();
toasts();

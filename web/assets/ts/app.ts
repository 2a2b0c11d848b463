// On every page. Small things that make server-rendered pages local to their reader.
import { localTimes } from "./shared/times";

localTimes(document);

// What pages do besides: menus that close, lists that change in place, questions in a dialog. Every page does its work
// without this; with it there are fewer reloads.

import { watchMenus } from "./menus.js";
import { watchLists } from "./lists.js";
import { watchQuestions } from "./questions.js";
import { watchToasts } from "./toasts.js";

document.documentElement.classList.add("scripted");
watchMenus(document);
watchToasts(document);
watchLists(document);
watchQuestions(document);

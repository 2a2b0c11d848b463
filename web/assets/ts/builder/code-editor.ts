// The editor of a code field: CodeMirror with JavaScript, in a shadow root, where it may have styles of its own under the page's policy.
// It is fetched when the first code field is shown.
import { autocompletion, closeBrackets, closeBracketsKeymap, completionKeymap, type CompletionContext, type CompletionResult } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { javascript, javascriptLanguage } from "@codemirror/lang-javascript";
import { bracketMatching, HighlightStyle, indentOnInput, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { Compartment, EditorState, StateEffect, StateField, type Extension, type Transaction } from "@codemirror/state";
import { Decoration, drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers, placeholder, type DecorationSet } from "@codemirror/view";
import { tags } from "@lezer/highlight";

export interface Editor {
  readonly text: string;
  /** Puts another text in, as from an undo elsewhere. */
  take(text: string): void;
  /** Marks the lines that something is wrong with, from 1. */
  mark(lines: readonly number[]): void;
  /** Says whether it is wrong, and whether it may be edited. */
  state(invalid: boolean, editable: boolean): void;
  focus(): void;
  destroy(): void;
}

export interface Options {
  text: string;
  label: string;
  placeholder: string;
  required: boolean;
  changed: (text: string) => void;
  /** The names that `input` has. */
  names: () => readonly string[];
}

/** For so long after Escape the Tab key leaves the field, in milliseconds. */
const LEAVING = 2000;

const look = HighlightStyle.define([
  { tag: [tags.keyword, tags.operatorKeyword, tags.modifier, tags.self, tags.null, tags.bool], color: "var(--code-keyword)" },
  { tag: [tags.string, tags.special(tags.string), tags.regexp], color: "var(--code-text)" },
  { tag: [tags.number], color: "var(--code-number)" },
  { tag: [tags.comment], color: "var(--text-muted)", fontStyle: "italic" },
  { tag: [tags.function(tags.variableName), tags.function(tags.propertyName), tags.className], color: "var(--code-name)" },
  { tag: [tags.invalid], color: "var(--bad)" },
]);

const theme = EditorView.theme({
  "&": { backgroundColor: "var(--surface)", color: "var(--text)", fontSize: "0.8125rem" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.6", maxHeight: "60vh" },
  ".cm-content, .cm-gutter": { minHeight: "11.5em" },
  ".cm-content": { padding: "8px 0", caretColor: "var(--text)" },
  ".cm-line": { padding: "0 10px 0 8px" },
  ".cm-gutters": { backgroundColor: "var(--sunken)", color: "var(--text-muted)", border: "none", borderRadius: "5px 0 0 5px" },
  ".cm-lineNumbers .cm-gutterElement": { padding: "0 8px 0 6px", minWidth: "28px" },
  ".cm-activeLine": { backgroundColor: "transparent" },
  "&.cm-focused .cm-activeLine": { backgroundColor: "color-mix(in srgb, var(--sunken) 60%, transparent)" },
  ".cm-activeLineGutter": { backgroundColor: "transparent", color: "var(--text)" },
  ".cm-line.wrong": { backgroundColor: "var(--bad-soft)" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": { background: "var(--accent-soft)" },
  "&.cm-focused .cm-matchingBracket": { backgroundColor: "var(--accent-soft)", outline: "1px solid var(--accent)" },
  ".cm-placeholder": { color: "var(--text-muted)" },
  ".cm-tooltip": { backgroundColor: "var(--raised)", color: "var(--text)", border: "1px solid var(--line)", borderRadius: "6px", boxShadow: "var(--shadow-2)" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul": { fontFamily: "var(--mono)" },
  ".cm-tooltip.cm-tooltip-autocomplete > ul > li": { padding: "3px 8px" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "var(--accent-soft)", color: "var(--text)" },
});

const setWrong = StateEffect.define<readonly number[]>();
const wrongLine = Decoration.line({ class: "wrong" });
const wrong = StateField.define<DecorationSet>({
  create: () => Decoration.none,
  update(marks, transaction) {
    let now = marks.map(transaction.changes);
    for (const effect of transaction.effects) {
      if (!effect.is(setWrong)) continue;
      const doc = transaction.state.doc;
      const lines = [...new Set(effect.value)].filter((line) => line >= 1 && line <= doc.lines).sort((a, b) => a - b);
      now = Decoration.set(lines.map((line) => wrongLine.range(doc.line(line).from)));
    }
    return now;
  },
  provide: (field) => EditorView.decorations.from(field),
});

/** After `input.`: the names of the step's input. */
const inputNames = (names: () => readonly string[]) => (context: CompletionContext): CompletionResult | null => {
  const before = context.matchBefore(/\binput\.[\w$]*$/);
  if (!before) return null;
  const options = names().filter((name) => /^[A-Za-z_$][\w$]*$/.test(name)).map((label) => ({ label, type: "property" }));
  return { from: before.from + "input.".length, options, validFor: /^[\w$]*$/ };
};

/** Text over a selection is put in here: a browser would write style attributes while it does so, which the page's policy refuses. */
const replaceSelection = EditorView.domEventHandlers({
  beforeinput(event, view) {
    const { data } = event;
    const { from, to, empty } = view.state.selection.main;
    if (event.inputType !== "insertText" || data === null || empty || view.composing || view.state.readOnly) return false;
    const insert = (): Transaction => view.state.update(view.state.replaceSelection(data), { userEvent: "input.type", scrollIntoView: true });
    if (!view.state.facet(EditorView.inputHandler).some((handler) => handler(view, from, to, data, insert))) view.dispatch(insert());
    return true;
  },
});

export function open(host: HTMLElement, options: Options): Editor {
  const root = host.shadowRoot ?? host.attachShadow({ mode: "open" });
  const invalid = new Compartment();
  const editable = new Compartment();
  const attributes = (it: boolean): Extension => EditorView.contentAttributes.of({ "aria-invalid": String(it) });
  const may = (it: boolean): Extension => [EditorState.readOnly.of(!it), EditorView.editable.of(it)];
  let escaped = 0;
  // Escape, then Tab, leaves the field, as the hint says; only a second Escape is for the panel around it.
  const escape = (view: EditorView): boolean => {
    const again = Date.now() - escaped < LEAVING;
    escaped = again ? 0 : Date.now();
    if (!again) view.setTabFocusMode(LEAVING);
    return !again;
  };
  const view = new EditorView({
    root,
    parent: root,
    state: EditorState.create({
      doc: options.text,
      extensions: [
        lineNumbers(),
        highlightActiveLine(),
        highlightActiveLineGutter(),
        history(),
        drawSelection(),
        indentOnInput(),
        indentUnit.of("  "),
        bracketMatching(),
        closeBrackets(),
        autocompletion(),
        javascript(),
        javascriptLanguage.data.of({ autocomplete: inputNames(options.names) }),
        syntaxHighlighting(look),
        replaceSelection,
        theme,
        wrong,
        placeholder(options.placeholder),
        EditorView.contentAttributes.of({ "aria-label": options.label, "aria-required": String(options.required), autocapitalize: "off", tabindex: "0" }),
        EditorView.lineWrapping,
        invalid.of(attributes(false)),
        editable.of(may(true)),
        keymap.of([...closeBracketsKeymap, ...completionKeymap, ...historyKeymap, indentWithTab, { key: "Escape", run: escape }, ...defaultKeymap.filter((it) => it.key !== "Mod-Enter")]),
        EditorView.updateListener.of((update) => {
          if (update.docChanged && !update.transactions.some((it) => it.isUserEvent("take"))) options.changed(update.state.doc.toString());
        }),
      ],
    }),
  });
  return {
    get text() {
      return view.state.doc.toString();
    },
    take(text) {
      if (text !== view.state.doc.toString()) view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text }, userEvent: "take" });
    },
    mark: (lines) => view.dispatch({ effects: setWrong.of(lines) }),
    state: (isInvalid, isEditable) => view.dispatch({ effects: [invalid.reconfigure(attributes(isInvalid)), editable.reconfigure(may(isEditable))] }),
    focus: () => view.focus(),
    destroy: () => view.destroy(),
  };
}

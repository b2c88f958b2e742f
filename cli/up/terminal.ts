const TICK = '✔';
const WARN = '!';

/** Where the command tells its user what happens: standard output, one line a step. */
export class Terminal {
  readonly #out: NodeJS.WritableStream;
  readonly #color: boolean;

  constructor(out: NodeJS.WritableStream & { readonly isTTY?: boolean }) {
    this.#out = out;
    this.#color = out.isTTY === true;
  }

  /** Something is done. */
  step(what: string, detail: string): void {
    this.line(`${this.#paint(32, TICK)} ${what.padEnd(11)}${detail}`);
  }

  /** Something needs the user's attention. */
  warn(text: string): void {
    this.line(`${this.#paint(33, WARN)} ${text}`);
  }

  line(text = ''): void {
    this.#out.write(`${text}\n`);
  }

  bold(text: string): string {
    return this.#paint(1, text);
  }

  #paint(code: number, text: string): string {
    return this.#color ? `\x1b[${code}m${text}\x1b[0m` : text;
  }
}

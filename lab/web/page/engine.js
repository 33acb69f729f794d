// @ts-check
// The engine in workers: one that answers, and a warm one that takes its place when it is stopped.

/** @typedef {{worker: Worker, ready: Promise<void>, version: string}} Warm */

const patience = 30000; // milliseconds for a worker to be ready
let url = "";
/** @returns {Worker} */
function started() {
  if (!url) {
    const source = JSON.parse(document.getElementById("worker")?.textContent ?? "null");
    if (typeof source !== "string") throw new Error("There is no engine in this page: it was not joined whole.");
    url = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
  }
  return new Worker(url);
}
/** @returns {Warm} */
function warm() {
  const worker = started(),
    /** @type {Warm} */ one = { worker, ready: Promise.resolve(), version: "" };
  one.ready = new Promise((resolve, reject) => {
    const late = setTimeout(() => reject(new Error("The engine did not start in time.")), patience);
    worker.onerror = (e) => {
      clearTimeout(late);
      reject(new Error(`The engine could not start: ${e.message || "it was refused"}.`));
    };
    worker.onmessage = (e) => {
      if (!e.data?.ready) return;
      clearTimeout(late);
      one.version = String(e.data.version ?? "");
      resolve();
    };
  });
  one.ready.catch(() => {}); // it is said when somebody asks
  return one;
}

export class Engine {
  version = "";
  /** @type {Warm | null} */
  #current = null;
  /** @type {Warm | null} */
  #spare = null;
  #id = 0;
  /** What is asked now: its answer may still be wanted. @type {((e: Error) => void) | null} */
  #fail = null;
  get busy() {
    return this.#fail !== null;
  }
  /** Begins to warm a worker. */
  warm() {
    this.#current ??= this.#spare ?? warm();
    if (this.#current === this.#spare) this.#spare = null;
    return this.#current;
  }
  /** What is being computed is not wanted any more: its worker ends, and the warm one takes its place. */
  cancel() {
    if (!this.#fail) return;
    this.#drop(new Stopped());
  }
  /** It is not needed any more. */
  end() {
    this.#drop(new Stopped());
    this.#spare?.worker.terminate();
    this.#spare = null;
  }
  /** @param {Error} why */
  #drop(why) {
    const fail = this.#fail;
    this.#fail = null;
    this.#current?.worker.terminate();
    this.#current = null;
    fail?.(why);
  }
  /** One question at a time. @param {Record<string, unknown>} question @returns {Promise<any>} */
  async ask(question) {
    if (this.#fail) throw new Error("The engine is asked two things at once.");
    const id = ++this.#id;
    return new Promise((resolve, reject) => {
      this.#fail = reject;
      let one;
      try {
        one = this.warm();
      } catch (e) {
        this.#fail = null;
        reject(e);
        return;
      }
      const own = one;
      own.ready.then(
        () => {
          if (this.#current !== own || this.#id !== id) return;
          this.version = own.version;
          own.worker.onerror = (e) => {
            if (this.#current === own)
              this.#drop(
                new Error(`The engine stopped (${e.message || "it gave no reason"}). The next key starts it anew.`),
              );
          };
          own.worker.onmessage = (e) => {
            if (e.data?.id !== id) return;
            this.#fail = null;
            resolve(e.data);
          };
          own.worker.postMessage({ id, ...question });
          try {
            this.#spare ??= warm();
          } catch {
            // Without a warm one the next is started when it is needed.
          }
        },
        (e) => {
          if (this.#current === own) this.#drop(e);
        },
      );
    });
  }
}
/** That a question was given up for a newer one. */
export class Stopped extends Error {}

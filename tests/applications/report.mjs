// What the programs here have in common: a server's port as the first argument, a JSON of what was
// seen as the only output, and waiting for events instead of sleeping.
import { once } from "node:events";

export const port = Number(process.argv[2]);
export const host = "127.0.0.1";

export function report(seen) {
  process.stdout.write(JSON.stringify(seen));
}

// The words of the error that an action ends with; an action that succeeds is told as such.
export async function errorOf(action) {
  try {
    return { succeeded: await action() };
  } catch (error) {
    return error.message;
  }
}

// What is waited for, or an error once `seconds` are over: nothing here waits without end.
export async function within(seconds, what, promise) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(
      () => reject(new Error(`after ${seconds} s still not: ${what}`)),
      1000 * seconds,
    );
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

// The arguments of an emitter's next event.
export function event(emitter, name, seconds = 20) {
  return within(seconds, `event ${name}`, once(emitter, name));
}

// Collects what comes; until(count) answers once so much came, in order.
export class Inbox {
  constructor() {
    this.items = [];
    this.waiting = [];
  }

  put(item) {
    this.items.push(item);
    this.waiting = this.waiting.filter(({ count, resolve }) => {
      if (this.items.length < count) return true;
      resolve([...this.items]);
      return false;
    });
  }

  until(count, seconds = 20) {
    const enough = new Promise((resolve) => {
      if (this.items.length >= count) resolve([...this.items]);
      else this.waiting.push({ count, resolve });
    });
    return within(seconds, `${count} items`, enough);
  }
}

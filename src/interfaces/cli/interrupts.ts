// Ctrl-C: the first one calls off what is under way, if that can be called off; the second one, or
// one with nothing under way, leaves at once.

export type Interrupts = {
  /** Calls `callOff` at the next Ctrl-C. Answers how to take that back when the work is over. */
  during(callOff: () => void): () => void;
  /** Somebody pressed Ctrl-C. */
  fire(): void;
};

export function interruptsTo(leave: () => void): Interrupts {
  const under: { callOff: () => void; fired: boolean }[] = [];
  return {
    during(callOff) {
      const work = { callOff, fired: false };
      under.push(work);
      return () => {
        const at = under.indexOf(work);
        if (at >= 0) under.splice(at, 1);
      };
    },
    fire() {
      const work = under.at(-1);
      if (!work || work.fired) return leave();
      work.fired = true;
      work.callOff();
    },
  };
}

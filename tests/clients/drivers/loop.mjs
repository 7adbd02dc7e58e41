// What all Node drivers share: a task a line comes in as JSON, an answer a line goes out.
import { createInterface } from "node:readline";

const PLACES = {
  "code": (error) => error.code,
  "error.error.code": (error) => error.error.error.code,
  "data.error.code": (error) => error.data.error.code,
  "responseBody": (error) => JSON.parse(error.responseBody).error.code,
};

// The code of an error and where it is.
function codeOf(error) {
  for (const [place, find] of Object.entries(PLACES)) {
    try {
      const code = find(error);
      if (typeof code === "string") return { code, at: `error.${place}` };
    } catch {
      continue;
    }
  }
  return {};
}

export async function serve(turn) {
  console.log = console.info = console.warn = console.error;
  for await (const line of createInterface({ input: process.stdin })) {
    let answer;
    try {
      answer = await turn(JSON.parse(line));
    } catch (error) {
      answer = { text: error.message, error: error.constructor.name, ...codeOf(error) };
    }
    process.stdout.write(JSON.stringify(answer) + "\n");
  }
}

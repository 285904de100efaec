// The floor of a one-shot prompt: Node, a durable SQLite commit, one streamed model call. Nothing
// that does the job can take less; `npm run bench -- oneshot` divides by it.
import { DatabaseSync } from "node:sqlite";

const [file, url] = process.argv.slice(2);
const db = new DatabaseSync(file);
db.exec("PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL");
db.exec("CREATE TABLE IF NOT EXISTS records (id INTEGER PRIMARY KEY, body BLOB)");
const insert = db.prepare("INSERT INTO records (body) VALUES (?)");
insert.run(Buffer.from("{}"));
const answer = await fetch(`${url}/chat/completions`, {
  method: "POST",
  headers: { "content-type": "application/json" },
  body: JSON.stringify({ model: "m", stream: true, messages: [{ role: "user", content: "hi" }] }),
});
let text = "";
for await (const chunk of answer.body) text += Buffer.from(chunk).toString();
insert.run(Buffer.from(text));
console.log(text.includes("[DONE]") ? "ok" : "broken");

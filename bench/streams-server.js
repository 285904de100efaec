// A model that answers every request with DELTAS pieces, one each PAUSE_MS, the first at once. Prints
// its port; ends with its standard input.
import { createServer } from "node:http";

const DELTAS = 200;
const PAUSE_MS = 100;

const chunk = (text) =>
  `data: ${JSON.stringify({
    id: "c",
    object: "chat.completion.chunk",
    created: 0,
    model: "m",
    choices: [{ index: 0, delta: { content: text }, finish_reason: null }],
  })}\n\n`;
const end = `data: ${JSON.stringify({
  id: "c",
  object: "chat.completion.chunk",
  created: 0,
  model: "m",
  choices: [{ index: 0, delta: {}, finish_reason: "stop" }],
})}\n\ndata: [DONE]\n\n`;

const server = createServer((request, response) => {
  request.resume();
  request.on("end", () => {
    response.writeHead(200, { "content-type": "text/event-stream" });
    let sent = 0;
    const piece = () => {
      response.write(chunk(`w${sent} `));
      sent += 1;
      if (sent < DELTAS) return;
      clearInterval(timer);
      response.end(end);
    };
    const timer = setInterval(piece, PAUSE_MS);
    response.on("close", () => clearInterval(timer));
    piece();
  });
});
server.listen(0, "127.0.0.1", () => console.log(server.address().port));
process.stdin.resume().on("end", () => process.exit(0));

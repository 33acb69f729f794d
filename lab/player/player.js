// @ts-check
const recording = document.getElementById("recording")?.textContent ?? "null";
const text = document.getElementById("text");
if (text !== null) text.textContent = JSON.stringify(JSON.parse(recording), null, 2);

// The form of a new label: what is wrong with it is said beside the button, and nothing that was typed is lost.

import { ask } from "./studio.js";

const form = document.getElementById("new-label");
const refused = document.getElementById("refused");

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const { name, definition, queries } = Object.fromEntries(new FormData(form));
  const body = { name, definition, queries: queries.split("\n").map((line) => line.trim()).filter(Boolean) };
  try {
    const { page } = await ask("/studio/api/labels", { method: "POST", body });
    const like = form.dataset.like;
    location.assign(like ? `${page}?like=${encodeURIComponent(like)}` : page);
  } catch (error) {
    refused.textContent = error.message;
    refused.hidden = false;
  }
});

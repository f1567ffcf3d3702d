// Letters by the official Node client: the arguments are the address of the API, a key, a template and a PDF.
// Prints what was answered, as JSON.

const fs = require("node:fs");
const { setTimeout: sleep } = require("node:timers/promises");
const { NotifyClient } = require("notifications-node-client");

const [, , address, key, template, file] = process.argv;
const client = new NotifyClient(address, key);
const personalisation = {
  name: "Amala", date: "Monday", address_line_1: "Amala Bird", address_line_2: "1 Road", address_line_3: "SW1A 1AA",
};

const refusal = (promise) => promise.then(() => null, (error) => ({ status: error.response.status, ...error.response.data }));

async function pdf(id) {
  for (;;) {
    try {
      return (await client.getPdfForLetterNotification(id)).toString("latin1");
    } catch (error) {
      const said = error.response.data.errors?.[0].error;
      if (said !== "PDFNotReadyError") throw error;
      await sleep(100);
    }
  }
}

async function main() {
  const sent = (await client.sendLetter(template, { personalisation, reference: "by node" })).data;
  const precompiled = (await client.sendPrecompiledLetter("a pdf by node", fs.readFileSync(file), "first")).data;
  const pdfs = [(await pdf(sent.id)).slice(0, 8), (await pdf(precompiled.id)).slice(0, 8)];
  const text = (await client.sendSms(process.argv[6], "07900900123", { personalisation })).data;
  console.log(JSON.stringify({
    sent, precompiled, pdfs,
    shown: (await client.getNotificationById(sent.id)).data,
    listed: (await client.getNotifications("letter", undefined, "a pdf by node")).data.notifications.map(({ id }) => id),
    preview: (await client.previewTemplateById(template, personalisation)).data,
    noAddress: await refusal(client.sendLetter(template, { personalisation: { name: "Amala", date: "Monday" } })),
    noPostage: await refusal(client.sendPrecompiledLetter("x", fs.readFileSync(file), "third")),
    noLetter: await refusal(client.getPdfForLetterNotification(text.id)),
  }));
}

main().catch((error) => {
  console.error(error.response ? JSON.stringify(error.response.data) : error);
  process.exit(1);
});

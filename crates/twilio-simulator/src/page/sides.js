// The names of the two sides: a gateway with an assistant, or, with `--twilio-only`, the reader's own program.

const WITH_GATEWAY = {
  title: "Text your assistant",
  number: "Its number is",
  owner: "gateway",
  theOwner: "the gateway",
  author: "the assistant",
  empty: "Send the assistant a text. A new phone gets a pairing code first.",
  faults: "Make Twilio fail. No message may be lost or sent twice.",
};

const TWILIO_ONLY = {
  title: "Twilio simulator",
  number: "Your program's number is",
  owner: "your program",
  theOwner: "your program",
  author: "your program",
  empty: "Send your program a text.",
  faults: "Make Twilio fail, and see how your program reacts.",
};

export let sides = WITH_GATEWAY;

export function setSides(hasGateway) {
  sides = hasGateway ? WITH_GATEWAY : TWILIO_ONLY;
}

export const capital = (text) => text[0].toUpperCase() + text.slice(1);

// How far back a chart can go.

/** The API's name, the button's text, and milliseconds. */
export const WINDOWS = [["15m", "15 min", 15], ["1h", "1 h", 60], ["6h", "6 h", 360], ["24h", "24 h", 1440], ["7d", "7 d", 10080], ["30d", "30 d", 43200]].map(([id, text, minutes]) => [id, text, minutes * 60e3]);

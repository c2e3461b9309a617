// In the head of the page, before the app's first element. Keeps the sidebar's width, and marks the document as opening
// until the script of the page has ended and nothing has been added for a tenth of a second, at most three seconds.
const root = document.documentElement;
const width = localStorage.getItem("sidebarWidth") || document.currentScript.dataset.sidebar;
root.style.setProperty("--ferscope-sidebar", `${width}px`);
root.classList.add("ferscope-opening");
const ended = '[data-testid="stApp"][data-test-script-state="notRunning"]', loading = '.stMain [data-testid="stSkeleton"]';
let quiet;
const observer = new MutationObserver(() => {
  clearTimeout(quiet);
  if (document.querySelector(ended) && !document.querySelector(loading)) quiet = setTimeout(end, 100);
});
const { plotly } = document.currentScript.dataset;
let opened = false;
const end = () => {
  observer.disconnect();
  root.classList.remove("ferscope-opening");
  if (plotly && !opened) setTimeout(loadPlotly, 1000);
  opened = true;
};
// Few charts need Plotly, 4.7 MB, so it loads when the page has opened.
const loadPlotly = () => {
  const link = document.createElement("link");
  Object.assign(link, { rel: "modulepreload", crossOrigin: "", href: `./static/js/${plotly}` });
  document.head.append(link);
};
observer.observe(root, { subtree: true, childList: true, attributes: true, attributeFilter: ["data-test-script-state"] });
setTimeout(end, 3000);

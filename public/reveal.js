// The page that shows a secret: copy buttons, and a warning before leaving without having confirmed.
document.documentElement.setAttribute("data-hydrated", "");

for (const button of document.querySelectorAll("[data-copy]")) {
    button.addEventListener("click", async () => {
        await navigator.clipboard.writeText(document.getElementById(button.dataset.copy).textContent);
        button.textContent = "Copied";
        setTimeout(() => { button.textContent = "Copy"; }, 2000);
    });
}

for (const button of document.querySelectorAll("[data-print]")) {
    button.addEventListener("click", () => print());
}

let leaving = false;
for (const link of document.querySelectorAll("[data-leaves]")) {
    link.addEventListener("click", () => { leaving = true; });
}
for (const form of document.querySelectorAll("form")) {
    form.addEventListener("submit", () => {
        leaving = true;
        // The download leaves the page where it is: warn again afterwards.
        if (!("confirms" in form.dataset)) setTimeout(() => { leaving = false; }, 1000);
    });
}
addEventListener("beforeunload", (event) => {
    if (!leaving) event.preventDefault();
});

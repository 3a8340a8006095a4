// Brings the page to life: loads the module that the document names and hydrates its islands. External, so that the
// content policy needs no inline script of ours. Islands are never nested, so their order does not matter.
const { script, wasm } = document.getElementById("boot").dataset;
const islands = document.querySelectorAll("leptos-island");
if (islands.length > 0) {
    const module = await import(script);
    await module.default({ module_or_path: wasm });
    module.hydrate();
    for (const island of islands) {
        await module[island.dataset.component](island);
    }
}
document.documentElement.setAttribute("data-hydrated", "");

import world from "virtual:world";
document.getElementById("app")!.textContent = `peerwalk ${Object.keys(world).length}`;

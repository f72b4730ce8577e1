// The picture that a saved notebook keeps of a widget is the output before it: hidden while the widget is there.
const OUTPUT = ".jp-OutputArea-child, .output_container"; // of Jupyter, of VS Code

export function hideSavedPicture(el) {
  let frame = 0;
  const look = () => {
    if (!el.isConnected) {
      frame = requestAnimationFrame(look);
      return;
    }
    const before = el.closest(OUTPUT)?.previousElementSibling;
    if (before?.matches(OUTPUT) && before.querySelector("img")) before.style.display = "none";
  };
  look();
  return () => cancelAnimationFrame(frame);
}

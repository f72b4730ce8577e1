// An invisible part of the 3D view.
import { hideSavedPicture } from "./saved_picture.js";

export default { render: ({ el }) => hideSavedPicture(el) };
